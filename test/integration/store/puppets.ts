import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

/** Makes one script of the puppet and what it imports. Returns its path. */
export async function buildPuppet(folder: string): Promise<string> {
  const outfile = join(folder, 'puppet.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'puppet.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  return outfile;
}

export class Puppet {
  private readonly process: ChildProcess;
  private readonly said: AsyncIterator<string>;

  constructor(script: string, ...args: string[]) {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.process = child;
    this.said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line that it says; null when it has ended. */
  async hear(): Promise<string | null> {
    const { value, done } = await this.said.next();
    return done ? null : value;
  }

  tell(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Kills it and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }
}
