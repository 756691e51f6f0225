/** Real sshd processes of OpenSSH on loopback, each with keys, files and settings of its own. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach } from 'vitest';
import { type ConnectOptions, connect, type SshConnection } from '../../../server/ssh/connection.ts';
import { nobody, type Prompter } from '../../../server/ssh/prompter.ts';
import type { Transport } from '../../../server/ssh/transport.ts';

export const transports: readonly Transport[] = ['ssh2', 'system'];

const program = '/usr/sbin/sshd';
const run = promisify(execFile);

/** sshd starts as root only where it is not to run as the user itself. */
export const hasSshd = existsSync(program) && process.getuid?.() === 0;
if (!hasSshd) console.error('SKIPPED: there is no sshd to be started as root, so no connection is tested.');

/** A folder with a client's configuration and keys, and the sshds that were started for it. */
export class SshBed {
  readonly folder = mkdtempSync(join(tmpdir(), 'vbatch-ssh-'));
  readonly log: string[] = [];
  private readonly servers: Sshd[] = [];
  private readonly blocks: string[] = [];

  static async open(): Promise<SshBed> {
    const bed = new SshBed();
    await bed.makeKey('id');
    bed.trust('id');
    return bed;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Makes a key pair; returns the private file. */
  async makeKey(name: string, passphrase = '', type = 'ed25519'): Promise<string> {
    const file = this.path(name);
    // As cheap as they can be: short, and with the shortest key derivation.
    const size = type === 'rsa' ? ['-b', '2048'] : [];
    await run('ssh-keygen', ['-q', '-a', '1', '-t', type, ...size, '-N', passphrase, '-C', name, '-f', file]);
    return file;
  }

  /** Lets a key in on all servers. */
  trust(name: string): void {
    writeFileSync(this.path('authorized_keys'), readFileSync(`${this.path(name)}.pub`), { flag: 'a' });
  }

  /** Starts a server, and makes it known as `name` to the client's configuration. */
  async serve(name: string, options: { settings?: string[]; client?: string[] } = {}): Promise<Sshd> {
    const server = await Sshd.start(this, name, options.settings ?? []);
    this.servers.push(server);
    this.configure(name, [`HostName 127.0.0.1`, `Port ${server.port}`, ...(options.client ?? [])]);
    return server;
  }

  /** Adds to the client's configuration. Settings given first win. */
  configure(host: string, settings: readonly string[]): void {
    this.blocks.push(`Host ${host}`, ...settings.map((line) => `  ${line}`));
    const common = [
      'Host *',
      '  User root',
      `  IdentityFile ${this.path('id')}`,
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      `  UserKnownHostsFile ${this.path('known_hosts')}`,
      '  GlobalKnownHostsFile none',
      '  StrictHostKeyChecking yes',
    ];
    writeFileSync(this.path('config'), `${[...this.blocks, ...common].join('\n')}\n`);
  }

  /** Options that lead a connection to the servers of this bed. */
  options(more: Partial<ConnectOptions> = {}): ConnectOptions {
    return {
      configFile: this.path('config'),
      env: { PATH: process.env.PATH, HOME: this.folder },
      prompter: nobody,
      log: (message) => this.log.push(message),
      ...more,
    };
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface BedContext {
  bed: SshBed;
  /** Connects; the test's end closes it. */
  open(target: string, more?: Partial<ConnectOptions>): Promise<SshConnection>;
}

/** A bed for each test. */
export function useBed(): BedContext {
  const opened: SshConnection[] = [];
  const context: BedContext = {
    bed: undefined as unknown as SshBed,
    async open(target, more = {}) {
      const connection = await connect(target, context.bed.options(more));
      opened.push(connection);
      return connection;
    },
  };
  beforeEach(async () => {
    context.bed = await SshBed.open();
  });
  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close();
    await context.bed.dispose();
  });
  return context;
}

export class Sshd {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    /** What it has logged. */
    readonly lines: string[],
    /** Its public host key: type and base64. */
    readonly hostKey: string,
  ) {}

  static async start(bed: SshBed, name: string, settings: readonly string[]): Promise<Sshd> {
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const home = bed.path(`home-${name}`);
    mkdirSync(home);
    const keyFile = await bed.makeKey(`host-${name}`);
    const hostKey = readFileSync(`${keyFile}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    const port = await freePort();
    const config = bed.path(`sshd-${name}`);
    const lines = [
      ...settings,
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${keyFile}`,
      'PidFile none',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'StrictModes no',
      'MaxStartups 100',
      `AuthorizedKeysFile ${bed.path('authorized_keys')}`,
      // The real home has start-up files of its own, which every command would wait for.
      `SetEnv HOME=${home}`,
      // Where a setting comes twice, the first counts; but of subsystems there must not be two.
      ...(settings.some((line) => line.startsWith('Subsystem')) ? [] : ['Subsystem sftp internal-sftp']),
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    // It ends with the tests, however they end.
    const args = ['--pdeathsig', 'KILL', program, '-D', '-e', '-f', config];
    const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const logged: string[] = [];
    const listening = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        logged.push(line);
        if (line.includes('Server listening')) resolve();
      });
      child.once('exit', () => reject(new Error(`sshd did not start: ${logged.join('\n')}`)));
    });
    await listening;
    writeFileSync(bed.path('known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`, { flag: 'a' });
    return new Sshd(port, child, logged, hostKey);
  }

  /** Process ids of its connections. */
  connections(): number[] {
    return childrenOf(this.child.pid as number);
  }

  /** Process ids of what runs a program on one of its connections. */
  running(name: string): number[] {
    const below = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...below(child)]);
    return below(this.child.pid as number).filter((pid) => commandOf(pid).includes(name));
  }

  /** Ends all its connections at once, as a host that loses power does not. */
  killConnections(signal: NodeJS.Signals = 'SIGKILL'): void {
    for (const pid of this.connections()) killIfThere(pid, signal);
  }

  async stop(): Promise<void> {
    // A frozen process does not end by anything but SIGKILL.
    this.killConnections();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

/** A prompter that answers as it is told and keeps the questions. */
export function answering(answers: Partial<Prompter>): Prompter & { asked: unknown[] } {
  const asked: unknown[] = [];
  const keep =
    <Q, A>(answer: (question: Q) => Promise<A>) =>
    (question: Q): Promise<A> => {
      asked.push(question);
      return answer(question);
    };
  return {
    asked,
    passphrase: keep(answers.passphrase ?? nobody.passphrase),
    password: keep(answers.password ?? nobody.password),
    keyboardInteractive: keep(answers.keyboardInteractive ?? nobody.keyboardInteractive),
    hostKey: keep(answers.hostKey ?? nobody.hostKey),
  };
}

/** Runs ssh-keygen and gives what it prints. */
export function sshKeygen(...args: string[]): string {
  return execFileSync('ssh-keygen', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
