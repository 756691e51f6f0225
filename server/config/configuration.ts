/** What the configuration files say, made ready for use: hosts, pools and defaults. */
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Shape } from '../model/task.ts';
import { parseDuration, parseSize } from '../protocol/quantities.ts';
import type { FileContents, HostEntry, PoolEntry } from './schema.ts';

/** Name of the built-in host: the machine on which the server runs. */
export const localHost = 'local';
/** Name of the built-in pool for the scripts that submit the work (R6). */
export const shellPool = 'shell';
/** `Pool.source` of what no file defines. */
export const builtIn = 'built in';

export interface HostSettings {
  name: string;
  /** How to reach it. Null for `local`. */
  ssh: SshSettings | null;
  /** Where vbatch keeps its files there; `~/` is the home folder on the host. Means nothing for `local`. */
  folder: string;
  /** What takes the place of what the host is found to have. */
  shape: Partial<Shape>;
  /** Indexes of the GPUs to grant first, or all from the last to the first. The others follow in order. */
  gpuOrder: readonly number[] | 'reverse';
  /** Most tasks that may hold the same GPU at once. */
  slotsPerGpu: number;
  /** How other hosts reach it, for tasks that speak with each other; null where that is not said. */
  address: string | null;
  /** It has the same files as this machine, so none are sent; `paths` says where, if elsewhere. */
  isShared: boolean;
  /** Folders of this machine and where the host has them. */
  paths: readonly (readonly [here: string, there: string])[];
  /** Shell lines before every command on this host. Empty for none. */
  setup: string;
  environment: Record<string, string>;
}

export interface SshSettings {
  /** `[USER@]HOST[:PORT]`, or a name from ssh's configuration. */
  target: string;
  /** Absolute path of the file in which ssh looks the target up, or null for its own default. */
  configFile: string | null;
  /** The built-in client, or the `ssh` program; null where the host decides. */
  transport: 'ssh2' | 'system' | null;
}

export interface Pool {
  /** Names the pool in stored tasks: its name, or `name@FOLDER` where the workspace FOLDER decides what it is. */
  key: string;
  name: string;
  /** Names of the hosts where its tasks may run. They may turn out to be unreachable or too small. */
  hosts: readonly string[];
  /** What each task holds. 0 is no claim. */
  shape: Shape;
  /** Most tasks at once on all hosts together, or null for no limit. */
  slots: number | null;
  /** By host, the GPUs that its tasks may hold, where they must be of a model. Every GPU will do otherwise. */
  gpusOn?: ReadonlyMap<string, readonly number[]>;
  environment: Record<string, string>;
  /** Shell lines before every command in this pool, after the host's. Empty for none. */
  setup: string;
  /** Absolute path of the file that defines it, or `built in`. */
  source: string;
  /** Set where this machine stands in for a pool that it is too small for. */
  standIn: { wanted: Shape; note: string } | null;
}

export interface Configuration {
  /** The workspace whose file takes part, or null. */
  workspace: string | null;
  /** Absolute path of the file in which ssh looks the hosts of the topmost file up, or null for its own default. */
  sshConfig: string | null;
  /** By name. `local` is always there. */
  hosts: ReadonlyMap<string, HostSettings>;
  /** By name: those of the files, and `shell`. What exists by itself is found by config/pools. */
  pools: ReadonlyMap<string, Pool>;
  /** `grace` in seconds, `maxOutput` in bytes. */
  defaults: { pool: string; grace: number; maxOutput: number; git: boolean };
  /** The configuration without the workspace's file; null where none takes part. */
  base: Configuration | null;
}

/** What holds where no file says anything. */
export const builtInConfiguration: Configuration = {
  workspace: null,
  sshConfig: null,
  hosts: new Map([[localHost, hostOf(localHost, {}, null)]]),
  pools: new Map([
    [shellPool, poolOf(shellPool, { hosts: [localHost] }, { key: shellPool, source: builtIn, hosts: [] })],
  ]),
  defaults: { pool: shellPool, grace: 10, maxOutput: 10 * 1024 ** 3, git: false },
  base: null,
};

/** `below` with a file on top: each key, host and pool of the file replaces the one below. */
export function withFile(
  below: Configuration,
  contents: FileContents,
  file: string,
  workspace: string | null,
): Configuration {
  const hostEntries = Object.entries(contents.hosts ?? {});
  const poolEntries = Object.entries(contents.pools ?? {});
  const sshConfig =
    contents.ssh_config === undefined ? below.sshConfig : absolutePath(contents.ssh_config, file);
  const hosts = new Map([
    ...below.hosts,
    ...hostEntries.map(([name, entry]) => [name, hostOf(name, entry ?? {}, sshConfig)] as const),
  ]);
  const key = (name: string) => (workspace === null ? name : `${name}@${workspace}`);
  const pools = poolEntries.map(([name, entry]) => {
    const pool = poolOf(name, entry ?? {}, { key: key(name), source: file, hosts: [...hosts.keys()] });
    return [name, pool] as const;
  });
  const { grace, max_output: maxOutput } = contents.defaults ?? {};
  return {
    workspace,
    sshConfig,
    // Configurations with the same hosts share the map: by that config/pools sees which pools they share.
    hosts: hostEntries.length === 0 ? below.hosts : hosts,
    pools: new Map([...below.pools, ...pools]),
    defaults: {
      pool: contents.defaults?.pool ?? below.defaults.pool,
      git: contents.defaults?.git ?? below.defaults.git,
      grace: grace === undefined ? below.defaults.grace : parseDuration(grace),
      maxOutput: maxOutput === undefined ? below.defaults.maxOutput : parseSize(String(maxOutput)),
    },
    base: workspace === null ? null : below,
  };
}

function hostOf(name: string, entry: HostEntry, configFile: string | null): HostSettings {
  const { ssh: target = name, transport = null } = entry;
  return {
    name,
    ssh: name === localHost ? null : { target, configFile, transport },
    folder: entry.folder ?? '~/.vbatch',
    shape: shapeOf(entry),
    gpuOrder: entry.gpu_order ?? [],
    slotsPerGpu: entry.slots_per_gpu ?? 1,
    address: entry.address ?? null,
    isShared: entry.workspace === 'shared',
    paths: Object.entries(entry.paths ?? {}),
    setup: entry.setup ?? '',
    environment: environmentOf(entry.env),
  };
}

function poolOf(
  name: string,
  entry: PoolEntry,
  { key, source, hosts }: { key: string; source: string; hosts: readonly string[] },
): Pool {
  return {
    key,
    name,
    hosts: entry.hosts ?? hosts,
    shape: { cpus: 0, memory: 0, gpus: 0, ...shapeOf(entry) },
    slots: entry.slots ?? null,
    environment: environmentOf(entry.env),
    setup: entry.setup ?? '',
    source,
    standIn: null,
  };
}

function shapeOf(entry: HostEntry | PoolEntry): Partial<Shape> {
  const { cpus, memory, gpus } = entry;
  return {
    ...(cpus !== undefined && { cpus }),
    ...(memory !== undefined && { memory: parseSize(String(memory)) }),
    ...(gpus !== undefined && { gpus }),
  };
}

function environmentOf(env: HostEntry['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env ?? {}).map(([name, value]) => [name, String(value)]));
}

/** Relative paths are meant from the folder of the file that holds them; `~` is the home folder. */
function absolutePath(path: string, file: string): string {
  if (path === '~' || path.startsWith('~/')) return resolve(homedir(), path.slice(2));
  return resolve(dirname(file), path);
}
