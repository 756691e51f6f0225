/** "Hosts" for measurements: sshds of this machine on loopback, each with a home of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostView } from '../../../server/protocol/tasks.ts';
import { makeKey } from '../../support/testbed/keys.ts';
import { type Bench, type Machine, type Place, timeOf } from '../bench.ts';

const program = '/usr/sbin/sshd';
/** How long a server may take to have caught up with its hosts. Milliseconds. */
export const patience = 20_000;

/** What every measurement with an sshd needs on PATH. */
export const sshPrograms = ['sshd', 'ssh', 'ssh-keygen'];

/** An sshd, and a client's configuration that leads to it by its name. */
export interface Target {
  readonly name: string;
  readonly port: number;
}

/** A folder with a client's keys and configurations, and the sshds that let it in. */
export class SshBed {
  /** For `ssh -F`. */
  readonly config: string;
  /** The same, with connections that are shared and outlive a command, as people have it who care for speed. */
  readonly sharingConfig: string;
  private readonly known: string;
  private readonly key: string;

  private constructor(
    private readonly bench: Bench,
    private readonly place: Place,
    private readonly folder: string,
  ) {
    this.config = join(folder, 'config');
    this.sharingConfig = join(folder, 'config-sharing');
    this.known = join(folder, 'known_hosts');
    this.key = join(folder, 'id');
  }

  /** @param place where all that its hosts and servers keep is */
  static async open(bench: Bench, place = bench.memory): Promise<SshBed> {
    const bed = new SshBed(bench, place, bench.folder(place));
    await makeKey(bed.key, 'bench');
    const common = [
      'User root',
      `IdentityFile ${bed.key}`,
      'IdentitiesOnly yes',
      'IdentityAgent none',
      `UserKnownHostsFile ${bed.known}`,
      'GlobalKnownHostsFile none',
      'StrictHostKeyChecking yes',
      'BatchMode yes',
    ];
    const sharing = ['ControlMaster auto', `ControlPath ${bed.folder}/%n`, 'ControlPersist 60'];
    // Settings outside of any host hold for all that follow.
    writeFileSync(bed.config, lines(common));
    writeFileSync(bed.sharingConfig, lines([...common, ...sharing]));
    return bed;
  }

  /** Starts an sshd. */
  async serve(name: string): Promise<Target> {
    const home = join(this.folder, `home-${name}`);
    const hostKeyFile = join(this.folder, `host-${name}`);
    mkdirSync(home);
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const hostKey = await makeKey(hostKeyFile, name);
    const port = await freePort();
    const config = join(this.folder, `sshd-${name}`);
    writeFileSync(
      config,
      lines([
        `ListenAddress 127.0.0.1:${port}`,
        `HostKey ${hostKeyFile}`,
        `AuthorizedKeysFile ${this.key}.pub`,
        // The home of whoever measures has start-up files of its own.
        `SetEnv HOME=${home}`,
        'PidFile none',
        'UsePAM no',
        'PermitRootLogin yes',
        'StrictModes no',
        'MaxStartups 100',
        'Subsystem sftp internal-sftp',
      ]),
    );
    const child = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.bench.atEnd(() => endServer(child));
    await listening(child);
    const target = { name, port };
    this.lead(target, hostKey);
    return target;
  }

  /** Makes another way to an sshd, such as through a relay on `port`. */
  alias(target: Target, name: string, port: number): Target {
    const hostKey = readFileSync(join(this.folder, `host-${target.name}.pub`), 'utf8').trim();
    const other = { name, port };
    this.lead(other, hostKey);
    return other;
  }

  /** Starts a server with these hosts, in the pool `far`. Resolves when it is connected to all of them. */
  async machine(hosts: readonly Target[], shape: { cpus: number } | null = null): Promise<Machine> {
    const folder = this.bench.folder(this.place);
    const names = hosts.map(({ name }) => name);
    const configuration = {
      ssh_config: this.config,
      hosts: Object.fromEntries(names.map((name) => [name, {}])),
      pools: { far: { hosts: names, ...shape } },
    };
    // What is JSON is YAML, too.
    writeFileSync(join(folder, 'config.yaml'), JSON.stringify(configuration));
    const machine = await this.bench.machine(this.place, folder);
    await untilOnline(machine, names);
    return machine;
  }

  private lead({ name, port }: Target, hostKey: string): void {
    appendFileSync(this.known, `[127.0.0.1]:${port} ${hostKey}\n`);
    for (const file of [this.config, this.sharingConfig]) {
      appendFileSync(file, lines([`Host ${name}`, '  HostName 127.0.0.1', `  Port ${port}`]));
    }
  }
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

async function listening(child: ChildProcess): Promise<void> {
  if (child.stderr === null) throw new Error('sshd has no log');
  const log = createInterface({ input: child.stderr });
  await new Promise<void>((resolve, reject) => {
    log.on('line', (line) => line.includes('Server listening') && resolve());
    child.once('exit', (code) => reject(new Error(`sshd did not start: it exited with ${code}`)));
  });
}

/** Waits until a server has been connected to these hosts, at `since` (milliseconds since the epoch) or later. */
export async function untilOnline({ client }: Machine, names: readonly string[], since = 0): Promise<void> {
  const limit = performance.now() + patience;
  for (;;) {
    const hosts = (await client.hosts()).filter(({ name }) => names.includes(name));
    const isOnline = (host: HostView) => host.state === 'online' && timeOf(host.since) >= since;
    if (hosts.filter(isOnline).length === names.length) return;
    const reason = hosts.find(({ state }) => state === 'unreachable')?.reason;
    if (performance.now() > limit) throw new Error(`not connected to ${names.join(', ')}: ${reason}`);
    await sleep(10);
  }
}

/** A port on which nobody listens at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Each connection has processes of its own, which outlive the server. */
function endServer(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const connections = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  child.kill('SIGKILL');
  for (const connection of connections.filter(Boolean)) process.kill(Number(connection), 'SIGKILL');
}
