/** What a command line touches of its process, so that tests can hand it something else. */
import type { ReadStream } from 'node:tty';

export interface Output {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(data: string | Uint8Array): boolean;
  once(event: 'drain' | 'error', listener: () => void): unknown;
  off(event: 'drain' | 'error', listener: () => void): unknown;
}

export interface Io {
  stdout: Output;
  stderr: Output;
  stdin: Pick<ReadStream, 'isTTY' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>;
  env: NodeJS.ProcessEnv;
}

/** The terminal's columns, or null where the output goes elsewhere and nothing must be cut. */
export function terminalWidth(output: Output): number | null {
  return output.isTTY === true ? output.columns || 80 : null;
}

/** Writes, and waits where the reader is slower. Resolves too when the reader has gone. */
export function writeAll(output: Output, data: string | Uint8Array): Promise<void> {
  if (output.write(data)) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      output.off('drain', go);
      output.off('error', go);
      resolve();
    };
    output.once('drain', go);
    output.once('error', go);
  });
}
