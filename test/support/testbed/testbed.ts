/**
 * Hosts to reach by SSH, made of this one machine: each has its own address, network, processes, disk, home, host
 * name and host key, and a real OpenSSH server. They can be cut off, frozen, crashed, booted and filled up.
 *
 *     const bed = await Testbed.up({ hosts: [{ name: 'n1', gpus: 2 }, { name: 'n2' }] });
 *     await bed.ssh('n1', 'hostname');
 *     await bed.host('n1').link('down');
 *     await bed.down();
 *
 * It needs root on Linux; `possible` tells whether it can be done. Beds do not disturb each other. When the
 * tests die, their beds go with them: everything hangs on a process that reads from a pipe (keeper.sh).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientFolder, introduce, makeClientFolder } from './clientFolder.ts';
import { BedHost } from './host.ts';
import { type Freezer, Keeper } from './keeper.ts';
import { gpuIds, type HostOptions, writePlan } from './plan.ts';
import { type Ended, run } from './run.ts';

export { installed, possible } from './possible.ts';
export type { BedHost, ClientFolder, Ended, HostOptions };

export interface BedOptions {
  readonly hosts: readonly HostOptions[];
  /** The ways to freeze a host that may be tried, in this order. */
  readonly freezers?: readonly Freezer[];
}

/** The first host is at .11 of the bed's network; this machine is at .1. */
const firstNumber = 11;

export class Testbed {
  private constructor(
    /** Holds everything of the bed that is in files. */
    readonly folder: string,
    readonly clientFolder: ClientFolder,
    private readonly keeper: Keeper,
    private readonly hosts: ReadonlyMap<string, BedHost>,
  ) {}

  /** Boots all hosts, and waits until each can be reached. When that fails, nothing is left behind. */
  static async up({ hosts, freezers = ['cgroup2', 'cgroup1', 'signals'] }: BedOptions): Promise<Testbed> {
    const folder = mkdtempSync(join(tmpdir(), 'vbatch-bed-'));
    const keeper = new Keeper(folder, freezers);
    try {
      const [slot, client] = await all([keeper.ready, makeClientFolder(join(folder, 'client'))]);
      const made = await all(
        hosts.map((host, i) => makeHost(keeper, join(folder, 'hosts'), slot, i, host, client.publicKeys)),
      );
      introduce(client, made);
      await all(made.map((host) => host.boot()));
      return new Testbed(folder, client, keeper, new Map(made.map((host) => [host.name, host])));
    } catch (error) {
      await end(keeper, folder);
      throw error;
    }
  }

  /** Its configuration for `ssh -F`: all hosts by their names. */
  get sshConfig(): string {
    return this.clientFolder.sshConfig;
  }

  host(name: string): BedHost {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`The bed has no host ${name}.`);
    return host;
  }

  /** Runs a command line on a host as a client does, by this machine's `ssh`. `options` are for `ssh`. */
  ssh(name: string, command: string, options: readonly string[] = []): Promise<Ended> {
    return run('ssh', ['-F', this.sshConfig, ...options, name, command]);
  }

  /** Takes everything down. A second time does nothing. */
  async down(): Promise<void> {
    await end(this.keeper, this.folder);
  }
}

/** A host that has not been booted. `index` is its place among the hosts of the bed. */
async function makeHost(
  keeper: Keeper,
  plans: string,
  slot: number,
  index: number,
  options: HostOptions,
  publicKeys: string,
): Promise<BedHost> {
  const { name, gpus = 0, disk = '64m' } = options;
  if (!/^[a-z][a-z0-9]{0,11}$/.test(name)) {
    throw new Error(`"${name}" is no name for a host: take at most 12 small letters and digits.`);
  }
  const plan = join(plans, name);
  const number = firstNumber + index;
  const hostKey = await writePlan(plan, number, options, publicKeys);
  await keeper.order('add', name, String(number), disk);
  const address = `198.19.${slot}.${number}`;
  return new BedHost(keeper, name, address, hostKey, gpuIds(number, gpus), join(plan, 'console.log'));
}

/** Waits for all even when one fails: what goes on in the folder must be over before it is removed. */
async function all<T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

async function end(keeper: Keeper, folder: string): Promise<void> {
  await keeper.end();
  rmSync(folder, { recursive: true, force: true });
}
