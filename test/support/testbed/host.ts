/** One host of a bed: a machine as far as SSH can tell, and what can happen to it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { appendFileSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { knownHostsLine } from './clientFolder.ts';
import type { Keeper } from './keeper.ts';
import { isExecutable, systemPath } from './possible.ts';
import { type HostProcess, processesWith } from './processes.ts';
import { type Ended, ended, succeed } from './run.ts';

export interface GpuUser {
  /** The GPU's index. */
  readonly gpu: number;
  readonly pid: number;
  /** The memory that it has there, in MiB. */
  readonly memory: number;
}

/** What sshd may take to listen, in milliseconds. */
const patience = 10_000;

const environment = { PATH: systemPath, HOME: '/root', USER: 'root', LANG: 'C.UTF-8' };

export class BedHost {
  /** Its first process, as this machine knows it; undefined while it is down. */
  private init: number | undefined;

  constructor(
    private readonly keeper: Keeper,
    readonly name: string,
    readonly address: string,
    /** Its public key, as `TYPE BASE64`. */
    readonly hostKey: string,
    /** The ids of its GPUs, in the order of their index. */
    readonly gpus: readonly string[],
    private readonly consoleLog: string,
  ) {}

  /** Its line in known_hosts, also under another name, such as `[127.0.0.1]:PORT` for a relay. */
  knownHostsLine(name = this.address): string {
    return knownHostsLine(name, this.hostKey);
  }

  // What happens to it.

  /** Starts it, with the disk it had, and waits until sshd listens. The link is as it was. */
  async boot(): Promise<void> {
    const init = Number(await this.keeper.order('boot', this.name));
    await this.listening(init);
    this.init = init;
  }

  /**
   * All its processes are gone at once, and its connections are closed, as when the system goes down in a hurry.
   * For a power cut take the link down first: then nobody is told.
   */
  async crash(): Promise<void> {
    this.init = undefined;
    await this.keeper.order('crash', this.name);
  }

  /** While its link is down, all packets to it and from it are lost. */
  async link(state: 'up' | 'down'): Promise<void> {
    await this.keeper.order('link', this.name, state);
  }

  /** From now on its link carries so much in each direction, such as `100mbit`. */
  async narrow(rate: string): Promise<void> {
    await this.keeper.order('narrow', this.name, rate);
  }

  /** It hangs: no process of it gets any time, but those that `exec` starts. The kernel still answers. */
  async freeze(): Promise<void> {
    await this.keeper.order('freeze', this.name);
  }

  async thaw(): Promise<void> {
    await this.keeper.order('thaw', this.name);
  }

  /** Kills the sshd of every connection. The one that listens stays, and so do the commands. */
  killSessions(): void {
    for (const { outerPid, command } of this.processes()) {
      if (/^(\S*\/)?sshd\b/.test(command) && !command.includes('[listener]')) kill(outerPid);
    }
  }

  /** Resets its connections on both sides. */
  async cutConnections(): Promise<void> {
    const inNetwork = ['-t', String(this.running()), '--net', 'ss', '--no-header', '--tcp'];
    const established = ['state', 'established'];
    // With ports, by which connections that come meanwhile are told from those that were there.
    const peers = async () =>
      (await succeed('nsenter', [...inNetwork, ...established])).match(/\S+:\d+\s*$/gm) ?? [];
    const before = new Set(await peers());
    await succeed('nsenter', [...inNetwork, '--kill', ...established]);
    const left = (await peers()).filter((peer) => before.has(peer));
    if (left.length > 0)
      throw new Error(`This kernel does not let ss cut connections; there are still: ${left.join(' ')}`);
  }

  /** Fills its disk to the last byte. */
  async fillDisk(): Promise<void> {
    const { stderr } = await this.exec(['sh', '-c', 'cat /dev/zero >/ballast']);
    if (!/no space left/i.test(stderr)) throw new Error(`The disk of ${this.name} is not full: ${stderr}`);
  }

  async freeDisk(): Promise<void> {
    await this.must(['rm', '/ballast']);
  }

  /** Makes a folder read-only until the next boot. */
  async makeReadOnly(folder: string): Promise<void> {
    await this.must(['mount', '--bind', folder, folder]);
    await this.must(['mount', '-o', 'remount,bind,ro', folder]);
  }

  /** Lets somebody use its GPUs, as far as `nvidia-smi` knows. Replaces those who did. */
  useGpus(users: readonly GpuUser[]): void {
    const lines = users.map(({ gpu, pid, memory }) => `${this.gpus[gpu]}, ${pid}, ${memory}\n`);
    this.write('/etc/bed/gpu-users', lines.join(''));
  }

  /** Adds an account with an empty home, /home/NAME, that the client's keys get into. */
  addAccount(name: string, shell = '/bin/bash'): void {
    if (!isExecutable(this.path(shell))) throw new Error(`Host ${this.name} has no ${shell}.`);
    const id = 1000 + this.read('/etc/passwd').split('\n').length;
    const home = `/home/${name}`;
    appendFileSync(this.path('/etc/passwd'), `${name}:x:${id}:${id}::${home}:${shell}\n`);
    appendFileSync(this.path('/etc/group'), `${name}:x:${id}:\n`);
    appendFileSync(this.path('/etc/shadow'), `${name}:*:19000:0:99999:7:::\n`);
    mkdirSync(this.path(home), { mode: 0o700 });
    chownSync(this.path(home), id, id);
  }

  // What is in it.

  /** Runs a command in it as root, in its root folder, without input and without SSH. */
  exec(argv: readonly [string, ...string[]]): Promise<Ended> {
    const child = this.spawn(argv);
    child.stdin.end();
    return ended(child);
  }

  /** Starts what `exec` runs, with pipes. */
  spawn(argv: readonly [string, ...string[]]): ChildProcessWithoutNullStreams {
    const into = ['-t', String(this.running()), '--mount', '--pid', '--net', '--uts', '--ipc', '--'];
    return spawn('nsenter', [...into, ...argv], { env: environment });
  }

  /** Its living processes; zombies are none. */
  processes(): HostProcess[] {
    return processesWith(this.running());
  }

  /** Where this machine has a file of the running host. Absolute links on the way lead astray. */
  path(file: string): string {
    return join(`/proc/${this.running()}/root`, file);
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(this.path(file), text);
  }

  /** What sshd has reported since the first boot. */
  log(): string {
    return readFileSync(this.consoleLog, 'utf8');
  }

  private running(): number {
    if (this.init === undefined) throw new Error(`Host ${this.name} is down.`);
    return this.init;
  }

  private async must(argv: readonly [string, ...string[]]): Promise<void> {
    const { code, stderr } = await this.exec(argv);
    if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${code} on ${this.name}: ${stderr}`);
  }

  /** Looks in the kernel's table rather than connects: that would be a connection more for sshd to count. */
  private async listening(init: number): Promise<void> {
    const deadline = performance.now() + patience;
    while (performance.now() < deadline) {
      try {
        const sockets = ['tcp', 'tcp6'].map((kind) => readFileSync(`/proc/${init}/net/${kind}`, 'latin1'));
        if (/^\s*\d+: \S+ \S+ 0A /m.test(sockets.join(''))) return;
      } catch {
        break;
      }
      await sleep(2);
    }
    throw new Error(`sshd does not listen on ${this.name}:\n${this.log()}`);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended since it was seen.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
