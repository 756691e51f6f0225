/** A host in a temporary folder, on this machine or over SSH, with a record of what it reports. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentHost } from '../../../server/hosts/agentHost.ts';
import { hostPaths } from '../../../server/hosts/files.ts';
import type {
  AttemptKey,
  CallKey,
  GpuUse,
  HostFacts,
  HostReports,
  NestedCall,
  StartOrder,
} from '../../../server/hosts/host.ts';
import { LocalHost, type LocalHostOptions } from '../../../server/hosts/local.ts';
import { SshHost } from '../../../server/hosts/ssh/host.ts';
import type { Exit } from '../../../server/model/task.ts';
import { hasSshd, SshBed, type Sshd } from '../ssh/sshd.ts';

/** Every shell that agents must run under: its name here, and how it is started. */
const shells: Readonly<Record<string, readonly [string, ...string[]]>> = {
  bash: ['bash', '--norc'],
  dash: ['dash'],
  'busybox ash': ['busybox', 'ash'],
};

function works([program, ...args]: readonly [string, ...string[]]): boolean {
  try {
    execFileSync(program, [...args.filter((arg) => arg !== '--norc'), '-c', ':'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The shells that this machine has; the others are named on stderr. */
export const presentShells = Object.entries(shells).filter(([name, argv]) => {
  const present = works(argv);
  if (!present) console.error(`SKIPPED: ${name} is not installed, so nothing is tested under it.`);
  return present;
});

/** Every way to reach a machine, with the shell that its agent runs under. */
export const presentSites: [string, SiteOptions & { shell: readonly string[] }][] = [
  ...presentShells.map(([name, shell]): [string, { shell: readonly string[] }] => [name, { shell }]),
  ...presentShells
    .filter(([name]) => hasSshd && name === 'bash')
    .map(([name, shell]): [string, { shell: readonly string[]; ssh: true }] => [
      `${name} over SSH`,
      { shell, ssh: true },
    ]),
];

interface SiteOptions {
  /** Reached by a real sshd. */
  ssh?: true;
}

/** What a test may say of the host. */
export type BedOptions = Partial<LocalHostOptions> & SiteOptions;

export type Report =
  | { type: 'online'; facts: HostFacts }
  | { type: 'offline'; reason: string }
  | { type: 'started' | 'lost' | 'absent'; key: AttemptKey }
  | { type: 'ended'; key: AttemptKey; exit: Exit }
  | { type: 'call'; call: NestedCall }
  | { type: 'gpuUse'; use: readonly GpuUse[] };

/** Keeps reports, and lets a test wait for one that may have come already. */
export class Recorder implements HostReports {
  readonly all: Report[] = [];
  private readonly waiting = new Set<() => void>();
  /** What to do with calls; by default they are only kept. */
  onCall: (call: NestedCall) => void = () => {};

  online(facts: HostFacts): void {
    this.add({ type: 'online', facts });
  }
  offline(reason: string): void {
    this.add({ type: 'offline', reason });
  }
  started(key: AttemptKey): void {
    this.add({ type: 'started', key });
  }
  ended(key: AttemptKey, exit: Exit): void {
    this.add({ type: 'ended', key, exit });
  }
  lost(key: AttemptKey): void {
    this.add({ type: 'lost', key });
  }
  absent(key: AttemptKey): void {
    this.add({ type: 'absent', key });
  }
  call(call: NestedCall): void {
    this.add({ type: 'call', call });
    this.onCall(call);
  }

  gpuUse(use: readonly GpuUse[]): void {
    this.add({ type: 'gpuUse', use });
  }

  remaining(): void {}

  asks(): void {}

  /** The first report from number `from` on for which `pick` finds something. */
  until<T>(pick: (report: Report) => T | undefined, from = 0): Promise<T> {
    return new Promise((resolve) => {
      let next = from;
      const look = () => {
        for (; next < this.all.length; next++) {
          const report = this.all[next];
          const found = report && pick(report);
          if (found !== undefined) {
            this.waiting.delete(look);
            resolve(found);
            return;
          }
        }
      };
      this.waiting.add(look);
      look();
    });
  }

  /** Waits for a report about an attempt. */
  about(type: 'started' | 'ended' | 'lost' | 'absent', key: AttemptKey, from = 0): Promise<Report> {
    return this.until((report) => (report.type === type && report.key === key ? report : undefined), from);
  }

  exit(key: AttemptKey, from = 0): Promise<Exit> {
    return this.until(
      (report) => (report.type === 'ended' && report.key === key ? report.exit : undefined),
      from,
    );
  }

  /** The calls that an attempt makes, in order: the one of this number, from 0. */
  async callOf(key: AttemptKey, number = 0): Promise<NestedCall> {
    let left = number;
    return this.until((report) =>
      report.type === 'call' && report.call.attempt === key && left-- === 0 ? report.call : undefined,
    );
  }

  /** How often a report has come. */
  count(type: Report['type'], key?: AttemptKey): number {
    return this.all.filter(
      (report) => report.type === type && (!key || ('key' in report && report.key === key)),
    ).length;
  }

  private add(report: Report): void {
    this.all.push(report);
    for (const look of [...this.waiting]) look();
  }
}

/** What a test may say of a start; the rest is as harmless as can be. */
export type Start = Partial<StartOrder> & { command: readonly string[] };

export class Bed {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "vbatch host's-")));
  /** Where commands run. */
  readonly work = join(this.folder, 'work');
  readonly home = join(this.folder, 'host');
  /** The folder of vbatch and vrun as attempts find them. */
  readonly shims = hostPaths(this.home).bin;
  readonly messages: string[] = [];
  host: AgentHost;
  reports = new Recorder();
  private readonly attempts = new Set<AttemptKey>();
  private number = 0;
  private sshd: Sshd | null = null;

  private constructor(
    private readonly options: BedOptions,
    private readonly ssh: SshBed | null,
  ) {
    this.host = this.makeHost();
    execFileSync('mkdir', [this.work]);
  }

  /** A host that is online. */
  static async open(options: BedOptions = {}): Promise<Bed> {
    const ssh = options.ssh ? await SshBed.open() : null;
    const bed = new Bed(options, ssh);
    const settings = [`SetEnv "HOME=${bed.work}" LANG=C.UTF-8`];
    bed.sshd = (await ssh?.serve('box', { settings })) ?? null;
    await bed.reopen();
    return bed;
  }

  /** A host that has not been opened. */
  static closed(options: Partial<LocalHostOptions> = {}): Bed {
    return new Bed(options, null);
  }

  private makeHost(): AgentHost {
    const log = (message: string) => this.messages.push(message);
    if (this.ssh) {
      return new SshHost({
        ...this.ssh.options({ log }),
        name: 'local',
        folder: join(this.folder, 'here'),
        target: 'box',
        base: this.folder,
        identity: 'host',
        log,
        ...(this.options.sweepInterval && { sweepInterval: this.options.sweepInterval }),
        ...(this.options.gpuInterval && { gpuInterval: this.options.gpuInterval }),
      });
    }
    return new LocalHost({
      name: 'local',
      folder: this.home,
      // A login shell without start-up files: what the user's own do is no part of these tests.
      env: { PATH: process.env.PATH, HOME: this.work, SHELL: '/bin/sh', LANG: 'C.UTF-8' },
      log,
      ...this.options,
    });
  }

  /** Opens the host, and waits until it is online. */
  private async reopen(): Promise<void> {
    this.host.open(this.reports);
    const state = await this.reports.until((report) =>
      report.type === 'online' || report.type === 'offline' ? report : undefined,
    );
    if (state.type === 'online') return;
    await this.host.close();
    throw new Error(`${state.reason}\n${this.messages.join('\n')}`);
  }

  /** A new server takes over: another host object on the same folder. */
  async replaceHost(meanwhile: () => unknown = () => {}): Promise<void> {
    await this.host.close();
    await meanwhile();
    this.host = this.makeHost();
    this.reports = new Recorder();
    await this.reopen();
  }

  /** Cuts the connection to a machine over SSH; or has it hang, with SIGSTOP. */
  cut(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.sshd?.killConnections(signal);
  }

  nextKey(): AttemptKey {
    return `${++this.number}.1`;
  }

  /** Orders a start, and answers with its key. */
  start(order: Start): AttemptKey {
    const key = order.key ?? this.nextKey();
    this.attempts.add(key);
    this.host.start({
      stdin: 'empty',
      directory: this.work,
      setup: '',
      environment: { set: {}, unset: [] },
      variables: {},
      ...order,
      key,
    });
    return key;
  }

  /** Runs to the end, and answers with what came of it. */
  async run(order: Start): Promise<{ key: AttemptKey; exit: Exit; stdout: string; stderr: string }> {
    const key = this.start(order);
    const exit = await this.reports.exit(key);
    return { key, exit, stdout: this.text(key, 'out'), stderr: this.text(key, 'err') };
  }

  /** Resolves when all output of an ended attempt can be read. */
  async whole(key: AttemptKey): Promise<void> {
    await until(() => this.host.logs.isWhole(key));
  }

  script(text: string, more: Partial<StartOrder> = {}): Start {
    return { command: ['sh', '-c', text], ...more };
  }

  /** A file of an attempt, by what follows its key. */
  path(key: AttemptKey, suffix: string): string {
    return join(this.home, 'tasks', '0', `${key}.${suffix}`);
  }

  /** One character a byte, so that nothing is lost. */
  text(key: AttemptKey, suffix: string): string {
    const path = this.path(key, suffix);
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  }

  /** The process id of an attempt's wrapper, or of the agent for `agent`. */
  pidOf(what: AttemptKey): number {
    const file = what === 'agent' ? join(this.home, 'agent.run') : this.path(what, 'run');
    return Number(readFileSync(file, 'latin1').split(' ')[1]);
  }

  answerAll(stdout: (call: NestedCall) => string = () => ''): void {
    this.reports.onCall = (call) => this.answer(call.key, stdout(call));
  }

  answer(key: CallKey, stdout = '', exitCode = 0, stderr = ''): void {
    this.host.answer(key, { exitCode, stdout, stderr });
  }

  /** Ends what may still run, lets go of the host, and removes the folder. */
  async dispose(): Promise<void> {
    for (const key of this.attempts) {
      if (this.reports.count('ended', key) === 0) {
        this.host.stop(key, 0);
        await this.reports.exit(key);
      }
    }
    await this.host.close();
    await this.ssh?.dispose();
    rmSync(this.folder, { recursive: true });
  }
}

/** Resolves when the condition holds, which nothing announces. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** The living processes (zombies are none) whose command line holds `text`. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });
}
