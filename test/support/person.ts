/** A person at a terminal, in which a program runs: they type, look, and change its size. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** How long anything may take to be shown. Milliseconds. */
const patience = 20_000;

export interface SeatOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

export class Person {
  /** All that has been shown so far; a character is a byte. */
  shown = '';
  /** How the command ended, and the modes that it has left the terminal in. */
  readonly ended: Promise<{ code: number | null; modes: string }>;
  private readonly child: ChildProcess;
  private seen = 0;
  private look: () => void = () => {};

  constructor(command: readonly string[], { cwd, env }: SeatOptions) {
    this.child = spawn('python3', [join(import.meta.dirname, 'person.py'), ...command], {
      cwd,
      env: { TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (data: Buffer) => {
      this.shown += data.toString('latin1');
      this.look();
    });
    for (const stream of [this.child.stdin, this.child.stdio[3] as Writable]) stream?.on('error', () => {});
    this.ended = this.end();
  }

  private async end(): Promise<{ code: number | null; modes: string }> {
    const modes = text(this.child.stdio[4] as Readable);
    const [code] = (await once(this.child, 'close')) as [number | null];
    return { code, modes: (await modes).trim() };
  }

  type(keys: string): void {
    this.child.stdin?.write(Buffer.from(keys, 'latin1'));
  }

  resize(rows: number, columns: number): void {
    (this.child.stdio[3] as Writable).write(`${rows} ${columns}\n`);
  }

  /** Resolves when this is shown after all that was seen before. */
  sees(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = () =>
        reject(new Error(`no ${JSON.stringify(what)} in ${JSON.stringify(this.shown.slice(this.seen))}`));
      const timer = setTimeout(fail, patience);
      this.look = () => {
        const at = this.shown.indexOf(what, this.seen);
        if (at < 0) return;
        this.seen = at + what.length;
        clearTimeout(timer);
        this.look = () => {};
        resolve();
      };
      this.look();
    });
  }

  /** Closes the terminal, as closing a window does. */
  close(): void {
    this.child.kill('SIGKILL');
  }
}
