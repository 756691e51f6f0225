import type { Configuration, HostSettings, Pool } from '../config/configuration.ts';
import { type HostCapacity, hostCapacity, listPools, poolByKey, resolvePool } from '../config/pools.ts';
import type { GpuUse } from '../hosts/host.ts';
import type { Room, RoomHost, RoomPool } from '../model/room.ts';
import type { State } from '../model/state.ts';
import type { TaskNumber } from '../model/task.ts';
import type { Fleet, HostState } from './fleet.ts';
import { type GpuOther, GpuUsers } from './gpuUsers.ts';

type LoadConfiguration = (workspace: string | null) => Promise<Configuration>;

/**
 * Where tasks can run: the configurations of all workspaces that have submitted anything, joined with
 * what the hosts are found to have. Configurations are read again at every submission, so an edit
 * holds from the next submission on, also for tasks that are waiting.
 */
export class Rooms implements Room {
  private readonly configurations = new Map<string, Configuration>();
  private readonly pools = new Map<string, Pool | undefined>();
  private capacities = new Map<string, HostCapacity>();
  private readonly gpuUsers = new GpuUsers();
  private grounds = new Map<string, Ground>();
  /** By task, what is on its way for it. */
  readonly moves = new Map<TaskNumber, string>();

  /**
   * @param load reads the configuration of a workspace, or the user's.
   * @param isIdle whether nothing runs on a host, or is kept there that is to come here.
   */
  constructor(
    private readonly fleet: Fleet,
    private readonly load: LoadConfiguration,
    private readonly isIdle: (host: string) => boolean,
  ) {}

  get hosts(): ReadonlyMap<string, HostState> {
    return this.fleet.hosts;
  }

  /** Reads the configuration that holds for a workspace, if it has changed. Throws `configuration`. */
  async refresh(workspace: string | null): Promise<Configuration> {
    const configuration = await this.load(workspace);
    if (this.configurations.get(workspace ?? '') !== configuration) {
      this.configurations.set(workspace ?? '', configuration);
      this.fleet.arrange(this.inOrder(), this.isIdle);
      this.hostsChanged();
    }
    return configuration;
  }

  /** Lets hosts go that no configuration names and on which nothing is left. Whether there were any. */
  letIdleGo(): boolean {
    const any = this.fleet.dropIdle(this.isIdle);
    if (any) this.hostsChanged();
    return any;
  }

  /** The pool for a submission, and sentences for the submitter. Throws `refused` where there is none. */
  resolve(configuration: Configuration, name: string): { pool: Pool; notes: string[] } {
    const found = resolvePool(configuration, this.capacities, name);
    this.pools.set(found.pool.key, found.pool);
    return found;
  }

  list(configuration: Configuration): Pool[] {
    return listPools(configuration, this.capacities);
  }

  /** To be called when a host has come, gone, or turned out to have something else. */
  hostsChanged(): void {
    this.pools.clear();
    this.capacities = new Map();
    this.grounds.clear();
    for (const name of this.knownHosts()) {
      const capacity = this.capacityOf(name);
      if (capacity !== null) this.capacities.set(name, capacity);
    }
  }

  /** Takes what was found out about the use of a host's GPUs. Returns whether that changes anything. */
  gpuUse(host: string, use: readonly GpuUse[], state: State, now: number): boolean {
    const isNew = this.gpuUsers.note(host, use, state, now);
    if (isNew) this.grounds.delete(host);
    return isNew;
  }

  /** Who besides our tasks uses which GPU of a host. */
  othersOn(host: string): ReadonlyMap<number, GpuOther> {
    return this.gpuUsers.on(host) ?? new Map();
  }

  host(name: string): RoomHost | undefined {
    const state = this.hosts.get(name);
    if (state === undefined) return undefined;
    return { ...this.groundOf(name, state), online: state.online, trouble: troubleOf(state) };
  }

  private groundOf(name: string, state: HostState): Ground {
    let ground = this.grounds.get(name);
    if (ground === undefined) {
      const capacity = this.capacities.get(name) ?? null;
      ground = {
        name,
        capacity,
        gpus: capacity?.gpuIndexes ?? [],
        slotsPerGpu: this.roomSettings(name)?.slotsPerGpu ?? 1,
        avoid: avoided(this.gpuUsers.on(name), state),
      };
      this.grounds.set(name, ground);
    }
    return ground;
  }

  pool(key: string): RoomPool | undefined {
    return this.poolOf(key);
  }

  /** The whole of a stored task's pool, or undefined where no configuration defines it any more. */
  poolOf(key: string): Pool | undefined {
    if (!this.pools.has(key)) {
      const configuration = this.configurations.get(workspaceOf(key)) ?? this.configurations.get('');
      const found = configuration === undefined ? null : poolByKey(configuration, this.capacities, key);
      this.pools.set(key, found ?? undefined);
    }
    return this.pools.get(key);
  }

  moving(task: TaskNumber): string | null {
    return this.moves.get(task) ?? null;
  }

  /** Settings of a host: of the workspace that names it last, else of the user. */
  settingsOf(host: string, workspace: string | null): HostSettings | undefined {
    const own = this.configurations.get(workspace ?? '')?.hosts.get(host);
    return own ?? this.configurations.get('')?.hosts.get(host);
  }

  /** The name or address by which other hosts reach a host, as far as is known. */
  addressOf(host: string, workspace: string | null): string {
    const configured = this.settingsOf(host, workspace)?.address ?? null;
    return configured ?? (this.hosts.get(host)?.facts?.address || host);
  }

  /** Seconds between TERM and KILL for a task of this workspace. */
  grace(workspace: string | null): number {
    const configuration = this.configurations.get(workspace ?? '') ?? this.configurations.get('');
    return configuration?.defaults.grace ?? 10;
  }

  /** Bytes that one end of a task of this workspace brings back at most. */
  maxOutput(workspace: string | null): number {
    const configuration = this.configurations.get(workspace ?? '') ?? this.configurations.get('');
    return configuration?.defaults.maxOutput ?? Number.POSITIVE_INFINITY;
  }

  /** The user's configuration first: what it says of a host goes before what a workspace says. */
  private inOrder(): Configuration[] {
    const [own, ...others] = [this.configurations.get(''), ...this.configurations.values()];
    return [...(own ? [own] : []), ...others];
  }

  private knownHosts(): Set<string> {
    const names = new Set(this.hosts.keys());
    for (const configuration of this.configurations.values()) {
      for (const name of configuration.hosts.keys()) names.add(name);
    }
    return names;
  }

  private capacityOf(name: string): HostCapacity | null {
    const facts = this.hosts.get(name)?.facts ?? null;
    const detected: HostCapacity | null =
      facts === null
        ? null
        : {
            cpus: facts.cpus,
            memory: facts.memory,
            gpus: facts.gpus.length,
            gpuIndexes: [...facts.gpus.keys()],
            gpuNames: facts.gpus.map((gpu) => gpu.name),
          };
    const settings = this.roomSettings(name);
    return settings === undefined ? detected : hostCapacity(settings, detected);
  }

  /** Settings that decide how much room there is on a host: those that say anything about it. */
  private roomSettings(name: string): HostSettings | undefined {
    let settings: HostSettings | undefined;
    for (const configuration of this.configurations.values()) {
      const own = configuration.hosts.get(name);
      if (own !== undefined && (settings === undefined || saysRoom(own))) settings = own;
    }
    return settings;
  }
}

function saysRoom({ shape, gpuOrder, slotsPerGpu }: HostSettings): boolean {
  return Object.keys(shape).length > 0 || gpuOrder.length > 0 || slotsPerGpu > 1;
}

/** GPUs that are not to be granted. Before anybody has looked at who uses them, that is all of them. */
function avoided(
  others: ReadonlyMap<number, GpuOther> | null,
  { facts }: HostState,
): ReadonlyMap<number, string> {
  if (others !== null) return new Map([...others].map(([index, { why }]) => [index, why]));
  return new Map(facts?.gpus.map((_, index) => [index, 'is being looked at']));
}

/** Since when the host is not reachable, where it has been, and why (R19). */
function troubleOf({ since, trouble }: HostState): string | null {
  if (trouble === null || since === null) return trouble;
  return `since ${new Date(since).toISOString()}: ${trouble}`;
}

/** What is known of a host, whether it can be reached or not. */
type Ground = Omit<RoomHost, 'online' | 'trouble'>;

function workspaceOf(key: string): string {
  const at = key.indexOf('@');
  return at < 0 ? '' : key.slice(at + 1);
}
