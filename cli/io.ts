/** What a command line touches of its process, so that tests can hand it something else. */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { ReadStream } from 'node:tty';

export interface Output {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(data: string | Uint8Array): boolean;
  once(event: 'drain' | 'error', listener: () => void): unknown;
  /** Told of each change of a terminal's size. */
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'drain' | 'error' | 'resize', listener: () => void): unknown;
}

export interface Io {
  stdout: Output;
  stderr: Output;
  stdin: Pick<ReadStream, 'isTTY' | 'readable' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>;
  env: NodeJS.ProcessEnv;
  /** Has the terminal pass on every key and every byte as it is; or as it was before. */
  setRaw(raw: boolean): void;
  /** Where SIGINT and SIGTERM are announced. */
  signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
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

/**
 * This process.
 * @param onUnread what to do when whoever reads its stdout or stderr has stopped reading, as `head`
 *   does: no error of anybody's, but perhaps the end of the work.
 */
export function processIo(onUnread: () => void): Io {
  const { stdout, stderr, env } = process;
  for (const output of [stdout, stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return onUnread();
      writeSync(2, `vbatch: cannot write to ${output === stdout ? 'stdout' : 'stderr'}: ${error.message}\n`);
      process.exit(1);
    });
  }
  return {
    stdout,
    stderr,
    env,
    signals: process,
    setRaw(raw) {
      process.stdin.setRawMode(raw);
      // Node has the terminal make CR LF of each LF even so, which would be done twice. Node takes this back, too.
      if (raw) spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
    },
    // Node opens it when it is first asked for, and most calls never read.
    get stdin() {
      return process.stdin;
    },
  };
}
