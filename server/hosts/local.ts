/** This machine as a host: the agent is a child process, and its files are at hand. */
import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Exit } from '../model/task.ts';
import { encodeBytes } from '../protocol/bytes.ts';
import { exitOf, type HostEvent } from './agent/events.ts';
import { keepAgent } from './agent/keeper.ts';
import { becomeAgent, checkOrder, sourceOrder, startOrder, stopOrder, sweepOrder } from './agent/orders.ts';
import { type AgentListener, type AgentProcess, startAgent } from './agent/process.ts';
import { NestedCalls } from './calls.ts';
import { detectFacts } from './detect.ts';
import { type HostPaths, hostPaths, prepareFolder, removeAttempt, writeWhole } from './files.ts';
import type {
  AttemptKey,
  CallAnswer,
  CallKey,
  Host,
  HostFacts,
  HostReports,
  LogStream,
  LogStretch,
  StartOrder,
} from './host.ts';
import { type PlannedFile, planLaunch } from './launch.ts';
import { captureLogin, type Login } from './login.ts';
import { LogOrder } from './logOrder.ts';
import { fileSize, readRange } from './logs.ts';

export interface LocalHostOptions {
  name: string;
  /** Where the agent keeps its files. Two hosts never share one. Its path holds no colon. */
  folder: string;
  /** The server's environment: PATH finds the shells and tools, SHELL names the login shell. */
  env: NodeJS.ProcessEnv;
  log: (message: string) => void;
  /** The shell that runs the agent; by default bash where there is one, else sh. */
  shell?: readonly string[];
  /** Where procfs is mounted. */
  proc?: string;
  /** Milliseconds between two looks for attempts that have died without a word. */
  sweepInterval?: number;
}

const defaultPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
/** A longer order goes through a file: bash reads stdin byte by byte, some 2,000 a millisecond. Characters. */
const longOrder = 8_192;
/** How many attempts one order sweeps, so that others get their turn. */
const sweepSize = 100;

/** Of a start that failed before the agent could be told; the command did not run. */
const unableExit = (host: string, what: string): Exit => ({
  exitCode: 125,
  signal: null,
  reason: `nothing can be written for this task on ${host}, so it was not started: ${what}`,
});

export class LocalHost implements Host {
  readonly name: string;
  private readonly paths: HostPaths;
  private readonly path: string;
  private readonly bash: string | null;
  private readonly calls: NestedCalls;
  private readonly order: LogOrder;
  private readonly closing = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private sweeper: NodeJS.Timeout | null = null;
  private reports: HostReports | null = null;
  /** The agent while it is ready for orders. */
  private agent: AgentProcess | null = null;
  private cookie = '';
  private facts: HostFacts | null = null;
  private readonly login: Promise<Login>;
  private resolveLogin: (login: Login | Promise<Login>) => void = () => {};
  /** Environments that have been written in this server's life, or are being written. */
  private readonly environmentFiles = new Map<string, Promise<void>>();
  /** Attempts that run, as far as is known. */
  private readonly live = new Set<AttemptKey>();
  /** Attempts whose end is told only when the stop has left nothing of them. */
  private readonly stopping = new Set<AttemptKey>();

  constructor(private readonly options: LocalHostOptions) {
    this.name = options.name;
    this.paths = hostPaths(options.folder);
    this.path = options.env.PATH || defaultPath;
    this.bash = findProgram('bash', this.path);
    this.calls = new NestedCalls(this.paths, (call) => this.reports?.call(call));
    this.order = new LogOrder(this.paths, options.log);
    this.login = new Promise((resolve) => {
      this.resolveLogin = resolve;
    });
  }

  open(reports: HostReports): void {
    this.reports = reports;
    this.running = keepAgent(
      (listener) => this.startAgent(listener),
      {
        ready: (agent) => this.ready(agent, reports),
        event: (event) => this.heard(event, reports),
        gone: (why) => this.gone(why, reports),
        log: this.options.log,
      },
      this.closing.signal,
    );
    this.sweeper = setInterval(() => this.sweep(), this.options.sweepInterval ?? 10_000);
  }

  async close(): Promise<void> {
    this.closing.abort();
    if (this.sweeper) clearInterval(this.sweeper);
    await this.running;
    await this.order.close();
  }

  async loginEnvironment(): Promise<ReadonlyMap<string, string>> {
    return (await this.login).environment;
  }

  start(order: StartOrder): void {
    const { agent } = this;
    if (!agent) return;
    this.launch(order, agent).catch((error: Error) =>
      this.finish(order.key, unableExit(this.name, error.message)),
    );
  }

  stop(key: AttemptKey, graceSeconds: number): void {
    if (!this.agent) return;
    this.stopping.add(key);
    this.agent.send(stopOrder(key, graceSeconds));
  }

  check(key: AttemptKey): void {
    this.agent?.send(checkOrder(key));
  }

  logSize(key: AttemptKey, stream: LogStream): Promise<number> {
    return fileSize(this.paths.log(key, stream));
  }

  async readLog(key: AttemptKey, stream: LogStream, offset: number, length: number): Promise<Buffer> {
    return (await readRange(this.paths.log(key, stream), offset, length)) ?? Buffer.alloc(0);
  }

  logOrder(key: AttemptKey): Promise<LogStretch[]> {
    return this.order.stretches(key);
  }

  watchLog(key: AttemptKey, changed: () => void): () => void {
    return this.order.follow(key, changed);
  }

  readHead(path: string, length: number): Promise<Buffer | null> {
    return readRange(path, 0, length);
  }

  async feed(call: CallKey, stream: LogStream, source: Readable): Promise<void> {
    try {
      await this.calls.feed(call, stream, source);
    } catch (error) {
      this.options.log(`The ${stream} of call ${call} ends early: ${(error as Error).message}`);
    }
  }

  answer(call: CallKey, answer: CallAnswer): void {
    this.calls
      .answer(call, answer)
      .catch((error: Error) => this.options.log(`Call ${call} cannot be answered: ${error.message}`));
  }

  async forget(keys: readonly AttemptKey[]): Promise<void> {
    for (const key of keys) await removeAttempt(this.paths, key);
  }

  /** Starts an agent, once the folder is ready for it. */
  private async startAgent(listener: AgentListener): Promise<AgentProcess> {
    if (this.cookie === '') {
      this.cookie = await prepareFolder(this.paths);
      this.resolveLogin(
        captureLogin(this.options.env, join(this.paths.scripts, 'login.sh'), this.options.log),
      );
    }
    // Before the agent, so that nothing comes between its being ready and our being online.
    this.facts ??= await detectFacts(this.options.env);
    const shell = this.options.shell ?? (this.bash === null ? ['sh'] : [this.bash, '--norc']);
    const firstOrder = becomeAgent({
      root: this.paths.folder,
      scripts: this.paths.scripts,
      shell: shell.join(' '),
      proc: this.options.proc ?? '/proc',
      cookie: this.cookie,
    });
    return startAgent(shell, this.path, firstOrder, listener);
  }

  private ready(agent: AgentProcess, reports: HostReports): void {
    this.agent = agent;
    if (this.facts) reports.online(this.facts);
  }

  private gone(why: string, reports: HostReports): void {
    this.agent = null;
    this.stopping.clear();
    if (!this.closing.signal.aborted) reports.offline(`the agent on ${this.name} is not running: ${why}`);
  }

  private heard(event: HostEvent, reports: HostReports): void {
    switch (event.type) {
      case 'started':
        this.live.add(event.key);
        this.order.started(event.key);
        reports.started(event.key);
        break;
      case 'ended':
        if (!this.stopping.has(event.key)) this.finish(event.key, exitOf(event.end, this.name));
        break;
      case 'stopped':
        this.stopping.delete(event.key);
        this.finish(event.key, exitOf(event.end, this.name));
        break;
      case 'unable':
        this.finish(event.key, unableExit(this.name, 'the disk may be full'));
        break;
      case 'lost':
        if (this.stopping.has(event.key)) break;
        this.release(event.key);
        reports.lost(event.key);
        break;
      case 'absent':
        this.release(event.key);
        reports.absent(event.key);
        break;
      case 'call':
        this.calls.receive(event.call);
        break;
    }
  }

  private finish(key: AttemptKey, exit: Exit): void {
    this.release(key);
    this.reports?.ended(key, exit);
  }

  private release(key: AttemptKey): void {
    this.live.delete(key);
    this.order.ended(key);
    this.calls.release(key);
  }

  /** Looks for attempts whose wrapper was killed, which nobody else would tell of. */
  private sweep(): void {
    const keys = [...this.live];
    for (let at = 0; at < keys.length; at += sweepSize) {
      this.agent?.send(sweepOrder(keys.slice(at, at + sweepSize)));
    }
  }

  private async launch(order: StartOrder, agent: AgentProcess): Promise<void> {
    const { paths, cookie, bash } = this;
    const plan = planLaunch(order, { paths, cookie, bash, login: await this.login });
    await this.haveEnvironment(plan.environmentFile);
    if (plan.setupFile) await this.writeBeside(plan.setupFile);
    const text = startOrder(plan.launch);
    if (text.length <= longOrder) {
      agent.send(text);
    } else {
      const file = { path: `${paths.attempt(order.key)}.start`, contents: encodeBytes(text) };
      await this.writeBeside(file);
      agent.send(sourceOrder(file.path));
    }
  }

  /** Writes one of an attempt's own files. */
  private async writeBeside({ path, contents }: PlannedFile): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWhole(path, contents, 0o600);
  }

  /** Writes an environment unless that has been done. */
  private haveEnvironment({ path, contents }: PlannedFile): Promise<void> {
    let writing = this.environmentFiles.get(path);
    if (!writing) {
      writing = writeWhole(path, contents, 0o600);
      this.environmentFiles.set(path, writing);
      // After a failure the next start tries again.
      writing.catch(() => this.environmentFiles.delete(path));
    }
    return writing;
  }
}

/** Path of a program, or null where `path` leads to none. */
function findProgram(name: string, path: string): string | null {
  for (const folder of path.split(':')) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Looks in the next folder.
    }
  }
  return null;
}
