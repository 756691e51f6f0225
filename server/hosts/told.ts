/** Has a POSIX shell read one of our scripts, and takes down what that tells. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { decodeBytes, encodeBytes } from '../protocol/bytes.ts';
import { quote } from './agent/orders.ts';
import { readMarked } from './marked.ts';

/** A shell that reads its stdin, wherever it runs. */
export interface ReadingShell {
  stdin: Writable;
  stdout: Readable;
  /** Lets go of it, whatever it still does. */
  close(): void;
}

/** What a script tells: lines `NAME TEXT`. */
export class Told {
  private readonly texts = new Map<string, string[]>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const at = line.indexOf(' ');
      const name = at < 0 ? line : line.slice(0, at);
      this.texts.set(name, [...this.all(name), at < 0 ? '' : line.slice(at + 1)]);
    }
  }

  /** The text of the first line of this name. */
  one(name: string): string | undefined {
    return this.all(name)[0];
  }

  /** The texts of all lines of this name, in order. */
  all(name: string): readonly string[] {
    return this.texts.get(name) ?? [];
  }
}

/**
 * Runs `script` after lines that set these variables, which it gets quoted. `patience` is in
 * milliseconds. Rejects with an Error whose message is a clause.
 */
export async function tell(
  shell: ReadingShell,
  script: string,
  variables: Readonly<Record<string, string>>,
  patience: number,
): Promise<Told> {
  const mark = `vbatch-told-${randomBytes(12).toString('hex')}`;
  const settings = { ...variables, _vb_mark: mark };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quote(value)}\n`);
  shell.stdin.on('error', () => {});
  shell.stdin.end(encodeBytes(`${lines.join('')}${script}`));
  const output = await readMarked(shell.stdout, { start: `${mark}\n`, end: `${mark} end\n` }, patience);
  shell.close();
  if (!Buffer.isBuffer(output)) throw new Error(`its shell ${output}`);
  return new Told(decodeBytes(output));
}

/** A shell of this machine. */
export function localShell(env: NodeJS.ProcessEnv): ReadingShell {
  const child = spawn('sh', ['-s'], { cwd: '/', env, stdio: ['pipe', 'pipe', 'ignore'] });
  // Where it cannot be started its stdout ends at once, which says enough.
  child.on('error', () => {});
  return { stdin: child.stdin, stdout: child.stdout, close: () => child.stdout.destroy() };
}
