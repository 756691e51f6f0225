/** The hosts of a server: this machine, and those that configurations name, from when they name them on. */
import type { Configuration, HostSettings } from '../config/configuration.ts';
import type { AttemptKey, Host, HostFacts, HostLogs } from '../hosts/host.ts';
import type { Logs } from '../hosts/logs.ts';

/** One host as the engine knows it. */
export interface HostState {
  host: Host;
  online: boolean;
  /** Since when it is online or not, milliseconds since the epoch; null before the first contact. */
  since: number | null;
  trouble: string | null;
  /** Nobody is to connect to it until somebody says so. */
  isLetGo: boolean;
  /** What it was found to have when it was last seen. */
  facts: HostFacts | null;
}

/** What is known of hosts, kept from one server to the next. */
export interface FactsStore {
  load(name: string): HostFacts | null;
  save(name: string, facts: HostFacts): void;
  isLetGo(name: string): boolean;
  keepLetGo(name: string, isLetGo: boolean): void;
}

/** Logs of a host as they lie here. */
type BroughtLogs = HostLogs & Pick<Logs, 'forget'>;

export interface FleetParts {
  local: Host;
  /** Makes a host that is reached over SSH. */
  make: (settings: HostSettings) => Host;
  /** The logs that have been brought here from a host that is not there any more. */
  broughtLogs: (host: string) => BroughtLogs;
  facts: FactsStore;
  log: (message: string) => void;
}

export class Fleet {
  readonly hosts = new Map<string, HostState>();
  /** By what the host was made. */
  private readonly made = new Map<string, string>();
  /** By host, where one was asked for that is not there any more. */
  private readonly brought = new Map<string, BroughtLogs>();
  /** Those that no configuration names any more. */
  private readonly leaving = new Set<string>();
  private connect: ((state: HostState) => void) | null = null;
  private readonly waiting = new Set<() => unknown>();

  constructor(private readonly parts: FleetParts) {
    this.hosts.set(parts.local.name, unseen(parts.local, null, false));
  }

  /** Has all hosts connected that there are and that are yet to come. */
  open(connect: (state: HostState) => void): void {
    this.connect = connect;
    for (const state of this.hosts.values()) connect(state);
  }

  async close(): Promise<void> {
    this.connect = null;
    await Promise.all([...this.hosts.values()].map(({ host }) => host.close()));
  }

  /**
   * Makes the hosts be there that configurations name, each as the first of them says how to reach it. One
   * that none names any more goes when `isIdle` says that nothing runs or is kept there; see `dropIdle`.
   */
  arrange(configurations: Iterable<Configuration>, isIdle: (name: string) => boolean): void {
    const wanted = new Map<string, HostSettings>();
    for (const { hosts } of configurations) {
      for (const [name, settings] of hosts) {
        if (settings.ssh !== null && !wanted.has(name)) wanted.set(name, settings);
      }
    }
    for (const [name, settings] of wanted) this.have(name, settings);
    this.leaving.clear();
    for (const name of this.made.keys()) if (!wanted.has(name)) this.leaving.add(name);
    this.dropIdle(isIdle);
  }

  /** Whether any host is to go as soon as it is idle. */
  get isAnyLeaving(): boolean {
    return this.leaving.size > 0;
  }

  /** Lets those go that no configuration names and that are idle by now. Whether there were any. */
  dropIdle(isIdle: (name: string) => boolean): boolean {
    const idle = [...this.leaving].filter(isIdle);
    for (const name of idle) this.drop(name);
    return idle.length > 0;
  }

  /** The logs of a host; what has been brought here of them, where it is not there any more. */
  logs(name: string): HostLogs {
    return this.hosts.get(name)?.host.logs ?? this.broughtFrom(name);
  }

  /** Removes the logs of these attempts that have been brought here from a host that is not there any more. */
  async forgetLogs(name: string, keys: readonly AttemptKey[]): Promise<void> {
    await this.broughtFrom(name).forget(keys);
  }

  /** Notes a change of a host's state. */
  seen(state: HostState): void {
    if (state.online && state.facts) this.parts.facts.save(state.host.name, state.facts);
    for (const look of [...this.waiting]) look();
  }

  /**
   * Resolves when of each of these hosts something is known, what it has or why it is out of reach, or
   * when so many milliseconds are over.
   */
  async known(names: Iterable<string>, patience: number): Promise<void> {
    const wanted = [...names];
    const isKnown = (name: string) => {
      const state = this.hosts.get(name);
      return state === undefined || state.facts !== null || state.trouble !== null;
    };
    if (wanted.every(isKnown)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      const look = () => wanted.every(isKnown) && done();
      const timer = setTimeout(done, patience);
      this.waiting.add(look);
    });
  }

  /** Whether a host is reached over SSH. */
  isRemote(name: string): boolean {
    return this.made.has(name);
  }

  /** Lets go of a host until `takeHold`. */
  letGo(state: HostState): void {
    this.parts.facts.keepLetGo(state.host.name, true);
    state.isLetGo = true;
    state.host.disconnect();
  }

  /** Undoes `letGo`, but for connecting to it. */
  takeHold(state: HostState): void {
    if (state.isLetGo) this.parts.facts.keepLetGo(state.host.name, false);
    state.isLetGo = false;
  }

  private have(name: string, settings: HostSettings): void {
    const plan = JSON.stringify([settings.ssh, settings.folder]);
    if (this.made.get(name) === plan) return;
    const before = this.hosts.get(name);
    this.brought.delete(name);
    const host = this.parts.make(settings);
    const isLetGo = this.parts.facts.isLetGo(name);
    if (isLetGo) host.disconnect();
    const state = before ?? unseen(host, this.parts.facts.load(name), isLetGo);
    this.made.set(name, plan);
    this.hosts.set(name, state);
    if (!before) {
      this.connect?.(state);
      return;
    }
    const old = before.host;
    before.host = host;
    Object.assign(before, { online: false, since: null, trouble: null });
    void this.closed(old).then(() => this.connect?.(before));
  }

  private broughtFrom(name: string): BroughtLogs {
    let logs = this.brought.get(name);
    if (logs === undefined) this.brought.set(name, (logs = this.parts.broughtLogs(name)));
    return logs;
  }

  private drop(name: string): void {
    const state = this.hosts.get(name);
    this.hosts.delete(name);
    this.made.delete(name);
    this.leaving.delete(name);
    if (state) void this.closed(state.host);
  }

  private async closed(host: Host): Promise<void> {
    await host
      .close()
      .catch((error: Error) => this.parts.log(`letting go of ${host.name}: ${error.message}`));
  }
}

function unseen(host: Host, facts: HostFacts | null, isLetGo: boolean): HostState {
  return { host, online: false, since: null, trouble: null, isLetGo, facts };
}
