/** A person's machine for a test: a home of its own, the bundled programs on PATH, a server that starts by itself. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { vi } from 'vitest';
import { type Discovery, readDiscovery } from '../../server/protocol/discovery.ts';
import { removeFolder } from '../support/removeFolder.ts';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A task as `-o json` prints it, as far as tests look at it. */
export interface SeenTask {
  id: string;
  name: string;
  parent: string | null;
  status: string;
  workspace: string | null;
  exitCode: number | null;
  reason: string | null;
  attempt: number;
  dependencies: { name: string; kind: string; state: string }[];
  children: { total: number; done: number; failed: number };
  startedAt: string | null;
  finishedAt: string | null;
}

function isDone(task: SeenTask): boolean {
  return ['SUCCESS', 'FAILURE', 'FAILED_UPSTREAM', 'SKIPPED', 'CANCELLED'].includes(task.status);
}

/** How long something may take on a busy machine, and how often it is looked at. Milliseconds. */
export const patience = { timeout: 30_000, interval: 20 };

const root = resolve(import.meta.dirname, '../..');

export class Sandbox {
  readonly folder: string;
  readonly state: string;
  /** Where commands run. */
  readonly work: string;
  readonly env: NodeJS.ProcessEnv;

  /** @param parent the folder for all that it keeps. */
  constructor(config = '', parent = tmpdir()) {
    this.folder = mkdtempSync(join(parent, 'vb-'));
    this.state = join(this.folder, 'state');
    this.work = join(this.folder, 'work');
    const bin = join(this.folder, 'bin');
    const home = join(this.folder, 'home');
    for (const folder of [bin, home, this.work]) mkdirSync(folder);
    for (const program of ['vbatch', 'vrun', 'vctl']) {
      symlinkSync(join(root, 'dist/cli', `${program}.cjs`), join(bin, program));
    }
    // The document says `python`; some machines only have python3, and some a slow front for it.
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    }).trim();
    for (const name of ['python', 'python3']) symlinkSync(python, join(bin, name));
    writeFileSync(join(this.folder, 'config.yaml'), config);
    this.env = {
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      HOME: home,
      SHELL: '/bin/sh',
      LANG: 'C.UTF-8',
      VBATCH_HOME: this.state,
      VBATCH_CONFIG: join(this.folder, 'config.yaml'),
    };
  }

  write(name: string, text: string): string {
    const path = join(this.work, name);
    mkdirSync(resolve(path, '..'), { recursive: true });
    writeFileSync(path, text);
    if (text.startsWith('#!')) chmodSync(path, 0o755);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.work, name), 'utf8');
  }

  spawn(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(program, args, {
      cwd: this.work,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Runs a program to its end. */
  async run(program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const child = this.spawn(program, args, env);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal, stdout, stderr };
  }

  /** Runs a shell command line as a person types it. */
  shell(line: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.run('bash', ['-c', line], env);
  }

  /** Submits by a shell line that prints an id, and gives that. */
  async submit(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.shell(line);
    if (code !== 0) throw new Error(`${line} exited with ${code}: ${stderr}`);
    return stdout.trim();
  }

  /** The same, and waits until that is done. */
  async submitted(line: string): Promise<SeenTask> {
    const id = await this.submit(line);
    const watched = await this.run('vctl', ['task', 'watch', id]);
    const task = await this.task(id);
    if (!isDone(task))
      throw new Error(`watching ${id} ended early (${watched.code}): ${watched.stderr}${watched.stdout}`);
    return task;
  }

  /** The task as soon as it is so. */
  until(id: string, is: (task: SeenTask) => boolean): Promise<SeenTask> {
    return vi.waitFor(async () => {
      const task = await this.task(id);
      if (!is(task)) throw new Error(`it is not as awaited: ${JSON.stringify(task)}`);
      return task;
    }, patience);
  }

  ended(id: string): Promise<SeenTask> {
    return this.until(id, isDone);
  }

  async task(id: string): Promise<SeenTask> {
    const { stdout, stderr } = await this.run('vctl', ['task', 'get', id, '-o', 'json']);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as SeenTask;
  }

  async children(id: string): Promise<SeenTask[]> {
    const { stdout } = await this.run('vctl', ['task', 'list', id, '-o', 'json', '--limit', '1000']);
    return JSON.parse(stdout) as SeenTask[];
  }

  /** Everything below a task, by id without the task's own. */
  async below(id: string): Promise<Record<string, SeenTask>> {
    const { stdout } = await this.run('vctl', ['task', 'tree', id, '-o', 'json']);
    const tasks = (JSON.parse(stdout) as SeenTask[]).filter((task) => task.id !== id);
    return Object.fromEntries(tasks.map((task) => [task.id.slice(id.length + 1), task]));
  }

  async log(id: string): Promise<{ stdout: string; stderr: string }> {
    return this.run('vctl', ['task', 'log', id]);
  }

  discovery(): Discovery | null {
    return readDiscovery(this.state);
  }

  /** Ends the server as a power cut would. */
  killServer(): void {
    const pid = this.discovery()?.pid;
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  async remove(): Promise<void> {
    await this.run('vctl', ['server', 'stop']);
    await removeFolder(this.folder);
  }
}
