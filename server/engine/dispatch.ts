import type {
  GpuUse,
  Host,
  HostAttempts,
  HostCalls,
  HostFacts,
  HostReports,
  NestedCall,
} from '../hosts/host.ts';
import type { Effect, TaskEvent } from '../model/events.ts';
import type { Attempt, Exit, Task, TaskNumber } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { Timers } from '../timers.ts';
import { AttemptFiles, type Brought } from './attemptFiles.ts';
import type { Core } from './core.ts';
import type { Fleet, HostState } from './fleet.ts';
import { attemptKey, parseKey } from './logs.ts';
import { startOrder } from './orders.ts';
import type { Rooms } from './rooms.ts';
import type { Trees } from './trees/trees.ts';

/** After so many milliseconds what a host or a disk did not take, or what a host still keeps, is looked at again. */
const again = 2_000;
/** Longest delay that a Node timer takes. */
const longestDelay = 2 ** 31 - 1;

/**
 * Between engine and hosts: durable effects become orders, reports become events. A report that is
 * late or repeated changes nothing, since the model knows each attempt by its number.
 */
export class Dispatch {
  private readonly limits = new Map<TaskNumber, () => void>();
  private readonly files: AttemptFiles;
  private isLettingGo = false;

  constructor(
    private readonly core: Core,
    private readonly fleet: Fleet,
    private readonly rooms: Rooms,
    private readonly trees: Trees,
    private readonly timers: Timers,
    private readonly hostsChanged: () => void,
    private readonly onCall: (host: HostCalls, call: NestedCall) => void,
    private readonly log: (message: string) => void,
  ) {
    this.files = new AttemptFiles(core, rooms, trees, hostsChanged, log);
  }

  /** Connects every host. */
  open(): void {
    this.fleet.open((state) => state.host.open(this.reports(state)));
  }

  /** Lets go of the hosts; attempts go on (R31). */
  async close(): Promise<void> {
    for (const cancel of this.limits.values()) cancel();
    await this.fleet.close();
  }

  /** Carries out what a durable event has ordered. */
  perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'forget') this.forget(effect.attempts);
      else if (effect.type === 'start') this.start(effect.task, effect.attempt);
      else this.stop(effect.task, effect.attempt);
    }
  }

  private present(number: TaskNumber, attempt: number): { task: Task; host: HostState } | null {
    const task = this.core.state.tasks.get(number);
    const latest = task?.attempts[attempt - 1];
    const host = latest === undefined ? undefined : this.rooms.hosts.get(latest.allocation.host);
    if (task === undefined || host === undefined || task.attempts.length !== attempt) return null;
    return { task, host };
  }

  private start(number: TaskNumber, attempt: number): void {
    const found = this.present(number, attempt);
    if (found === null || !found.host.online || found.task.attempts[attempt - 1]?.stopping !== null) return;
    const bringing = this.files.bring(found.task, attemptKey(number, attempt), found.host);
    if (bringing === null) this.launch(number, attempt);
    else void bringing.then((brought) => this.brought(number, attempt, brought));
  }

  private brought(number: TaskNumber, attempt: number, brought: Brought): void {
    if (brought === 'dropped') return;
    if (brought === 'ready') return this.launch(number, attempt);
    if (brought === 'again') return void this.timers.after(again, () => this.start(number, attempt));
    if (this.present(number, attempt) === null) return;
    const exit = { exitCode: 125, signal: null, reason: brought.failed };
    this.record({ type: 'ended', at: this.core.time(), task: number, attempt, exit });
  }

  private launch(number: TaskNumber, attempt: number): void {
    const found = this.present(number, attempt);
    if (found === null || !found.host.online) return;
    const { task, host } = found;
    // Cancelled between the order and now: the order to stop follows, and what never started ends by it.
    if (task.attempts[attempt - 1]?.stopping !== null) return;
    const pool = this.rooms.poolOf(task.spec.pool);
    const settings = this.rooms.settingsOf(host.host.name, task.spec.workspace);
    const size = {
      cpus: this.rooms.host(host.host.name)?.capacity?.cpus ?? 1,
      gpus: host.facts?.gpus.length ?? 0,
    };
    const addressOf = (name: string) => this.rooms.addressOf(name, task.spec.workspace);
    const place = this.trees.placeOn(task, host.host.name);
    host.host.start(startOrder(this.core.state, task, pool, settings, size, addressOf, place));
  }

  private stop(number: TaskNumber, attempt: number): void {
    const found = this.present(number, attempt);
    if (found === null || !found.host.online) return;
    found.host.host.stop(attemptKey(number, attempt), this.rooms.grace(found.task.spec.workspace));
  }

  private forget(attempts: readonly { host: string; task: TaskNumber; attempt: number }[]): void {
    const keys = new Map<string, string[]>();
    for (const { host, task, attempt } of attempts) {
      const key = attemptKey(task, attempt);
      const known = keys.get(host);
      if (known === undefined) keys.set(host, [key]);
      else known.push(key);
    }
    for (const [name, those] of keys) {
      const host = this.rooms.hosts.get(name)?.host;
      if (host !== undefined) this.letGo(host, those);
      else void this.cleanUp(name, this.fleet.forgetLogs(name, those));
    }
  }

  private reports(state: HostState): HostReports {
    return {
      online: (facts) => this.online(state, facts),
      offline: (reason) => this.offline(state, reason),
      started: (key) => this.event(key, (task, attempt, at) => ({ type: 'started', at, task, attempt })),
      ended: (key, exit) => this.ended(state, key, exit),
      lost: (key) => {
        this.event(key, (task, attempt, at) => ({ type: 'lost', at, task, attempt }));
        this.settle(state.host, key);
      },
      absent: (key) => this.absent(key),
      call: (call) => this.onCall(state.host, call),
      gpuUse: (use) => this.gpuUse(state, use),
      asks: this.hostsChanged,
      remaining: (keys) => this.remaining(state.host, keys),
    };
  }

  /** Tells a host which of the attempts that it still knows it may let go of. */
  private remaining(host: Host, keys: readonly string[]): void {
    const unknown: string[] = [];
    for (const key of keys) {
      const { task: number, attempt } = parseKey(key);
      const task = this.core.state.tasks.get(number);
      const found = task?.attempts[attempt - 1];
      if (found === undefined) unknown.push(key);
      else if (found.state === 'ended' || found.state === 'lost') this.settle(host, key);
    }
    if (unknown.length > 0) this.letGo(host, unknown);
  }

  /** Tells the host of an attempt's end once that is durable. */
  private settle(host: HostAttempts, key: string): void {
    this.letIdleGo();
    // What never becomes durable is reported to the next server again.
    this.core.settled().then(
      () => host.settled(key),
      () => {},
    );
  }

  private letGo(host: Host, keys: readonly string[]): void {
    void this.cleanUp(host.name, host.forget(keys));
  }

  private async cleanUp(host: string, work: Promise<void>): Promise<void> {
    await work.catch((error: Error) => this.log(`cleaning up on ${host}: ${error.message}`));
  }

  private online(state: HostState, facts: HostFacts): void {
    state.online = true;
    state.since = this.core.time();
    state.trouble = null;
    state.facts = facts;
    this.fleet.seen(state);
    this.rooms.hostsChanged();
    void this.catchUp(state);
    this.core.schedule();
    this.hostsChanged();
  }

  private gpuUse({ host }: HostState, use: readonly GpuUse[]): void {
    if (!this.rooms.gpuUse(host.name, use, this.core.state, this.core.time())) return;
    this.core.schedule();
    this.hostsChanged();
  }

  /** Finds out about the attempts that were under way when this host was last heard of. */
  private async catchUp(state: HostState): Promise<void> {
    const attempts = this.tasksOn(state).map((task) => {
      const isStopping = (task.attempts.at(-1)?.stopping ?? null) !== null;
      return { number: task.number, attempt: task.attempts.length, isStopping };
    });
    try {
      // What is not durable yet must be neither started, because the host does not know it, nor stopped.
      await this.core.settled();
    } catch {
      // The ledger has failed for good: the next server catches up.
      return;
    }
    for (const { number, attempt, isStopping } of attempts) {
      if (this.underWay(number, attempt) === null) continue;
      if (isStopping) this.stop(number, attempt);
      else state.host.check(attemptKey(number, attempt));
    }
  }

  /** Tasks with an attempt under way on this host. */
  private tasksOn({ host }: HostState): Task[] {
    const numbers = this.core.state.holdings.get(host.name)?.tasks.keys() ?? [];
    return [...numbers].map((number) => this.core.state.task(number));
  }

  /** The attempt, if it has not ended and nothing has come after it. */
  private underWay(number: TaskNumber, attempt: number): Attempt | null {
    const found = this.present(number, attempt)?.task.attempts[attempt - 1];
    return found?.state === 'starting' || found?.state === 'running' ? found : null;
  }

  private offline(state: HostState, reason: string): void {
    if (state.online) state.since = this.core.time();
    state.online = false;
    state.trouble = reason;
    this.fleet.seen(state);
    // Out of reach a command may end in time: its limit counts again when it is heard of.
    for (const task of this.tasksOn(state)) this.endWatch(task.number);
    this.hostsChanged();
  }

  private event(key: string, make: (task: TaskNumber, attempt: number, at: number) => TaskEvent): void {
    const { task, attempt } = parseKey(key);
    const present = this.underWay(task, attempt);
    if (present === null) return;
    const event = make(task, attempt, this.core.time());
    if (event.type !== 'started' || present.state === 'starting') this.record(event);
    this.watchLimit(this.core.state.task(task));
  }

  /** Makes a report an event. One that cannot be recorded any more is reported to the next server again. */
  private record(event: TaskEvent): void {
    try {
      this.core.commit(event);
    } catch (error) {
      if (!(error instanceof VbatchError)) throw error;
      this.log(`A report of a host was not recorded: ${error.message}`);
    }
  }

  /** What an attempt has made is part of the run before anything follows from its end. */
  private ended(state: HostState, key: string, exit: Exit): void {
    if (this.files.isTaking(key)) return;
    const { task: number, attempt } = parseKey(key);
    if (this.underWay(number, attempt) === null) return this.end(state, key, exit);
    this.endWatch(number);
    const taking = this.files.take(this.core.state.task(number), key, state, exit);
    if (taking === null) return this.end(state, key, exit);
    void taking.then((taken) => {
      if (taken !== 'again') return taken === 'dropped' ? undefined : this.end(state, key, taken);
      this.timers.after(again, () => {
        this.rooms.moves.delete(number);
        this.ended(state, key, exit);
      });
    });
  }

  private end(state: HostState, key: string, exit: Exit): void {
    this.event(key, (task, attempt, at) => ({ type: 'ended', at, task, attempt, exit }));
    this.settle(state.host, key);
  }

  /** A host that was taken out of the configuration goes once all is here that its tasks have left there. */
  private letIdleGo(): void {
    if (!this.fleet.isAnyLeaving || this.isLettingGo) return;
    this.isLettingGo = true;
    this.timers.after(again, () => {
      this.isLettingGo = false;
      if (this.rooms.letIdleGo()) this.hostsChanged();
      this.letIdleGo();
    });
  }

  /** The host has never heard of the attempt: an order was lost, or with it all the host knew. */
  private absent(key: string): void {
    const { task, attempt } = parseKey(key);
    if (this.underWay(task, attempt)?.state === 'starting') this.start(task, attempt);
    else this.event(key, (number, n, at) => ({ type: 'lost', at, task: number, attempt: n }));
  }

  private endWatch(number: TaskNumber): void {
    this.limits.get(number)?.();
    this.limits.delete(number);
  }

  /** R27: a running attempt with a time limit is stopped when that is over, also after a restart. */
  private watchLimit(task: Task): void {
    this.endWatch(task.number);
    const attempt = task.attempts.at(-1);
    if (task.spec.timeLimit === null || task.phase.kind !== 'running' || attempt?.startedAt == null) return;
    const left = attempt.startedAt + task.spec.timeLimit * 1000 - this.core.time();
    const number = task.number;
    const elapsed = () => {
      this.limits.delete(number);
      if (left > longestDelay) this.watchLimit(task);
      else
        this.record({ type: 'timedOut', at: this.core.time(), task: number, attempt: task.attempts.length });
    };
    this.limits.set(number, this.timers.after(Math.max(0, Math.min(left, longestDelay)), elapsed));
  }
}
