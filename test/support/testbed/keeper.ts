/** The process that holds a bed up: keeper.sh, with orders and answers in pairs. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemPath } from './possible.ts';

/** The ways to freeze a host, best first: `signals` stops its processes one by one, where nothing else works. */
export type Freezer = 'cgroup2' | 'cgroup1' | 'signals';

interface Waiting {
  resolve(words: string): void;
  reject(error: Error): void;
}

export class Keeper {
  /** The bed's number among those on this machine, from 1, when it is ready for orders. */
  readonly ready: Promise<number>;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting: Waiting[] = [];
  private readonly gone: Promise<void>;
  private isGone = false;
  private stderr = '';

  constructor(folder: string, freezers: readonly Freezer[]) {
    const script = join(import.meta.dirname, 'keeper.sh');
    const args = ['--mount', '--propagation', 'slave', 'bash', script, folder, freezers.join(' ')];
    // A session of its own: what ends the tests from the keyboard must not keep it from tidying up.
    const env = { PATH: systemPath, LANG: 'C.UTF-8' };
    this.child = spawn('unshare', args, { detached: true, env });
    this.gone = once(this.child, 'close').then(
      () => this.abandon(),
      () => this.abandon(),
    );
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    // Whoever gives an order to one that is gone is told so by `abandon`.
    this.child.stdin.on('error', () => {});
    createInterface({ input: this.child.stdout }).on('line', (line) => this.answered(line));
    this.ready = this.answer().then(Number);
  }

  /** Gives an order, and answers with what came of it. Orders are carried out one after the other. */
  order(...words: readonly string[]): Promise<string> {
    this.child.stdin.write(`${words.join(' ')}\n`);
    return this.answer();
  }

  /** Takes everything down, and waits until it is gone. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await this.gone;
  }

  private answer(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      if (this.isGone) this.abandon();
    });
  }

  private answered(line: string): void {
    const next = this.waiting.shift();
    if (line.startsWith('done')) next?.resolve(line.slice('done '.length));
    else next?.reject(new Error(`The test bed ${line}`));
  }

  private abandon(): void {
    this.isGone = true;
    for (const { reject } of this.waiting.splice(0)) {
      reject(new Error(`The keeper of the test bed is gone. ${this.stderr}`));
    }
  }
}
