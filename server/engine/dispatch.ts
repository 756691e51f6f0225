import type { Host, HostFacts, HostReports, NestedCall } from '../hosts/host.ts';
import type { Effect } from '../model/events.ts';
import type { Exit, Task, TaskNumber } from '../model/task.ts';
import type { Timers } from '../timers.ts';
import type { Core } from './core.ts';
import { attemptKey } from './logs.ts';
import { startOrder } from './orders.ts';
import type { HostState, Rooms } from './rooms.ts';

/** Longest delay that a Node timer takes. */
const longestDelay = 2 ** 31 - 1;

/**
 * Between engine and hosts: durable effects become orders, reports become events. A report that is
 * late or repeated changes nothing, since the model knows each attempt by its number.
 */
export class Dispatch {
  private readonly limits = new Map<TaskNumber, () => void>();

  constructor(
    private readonly core: Core,
    private readonly rooms: Rooms,
    private readonly timers: Timers,
    private readonly hostsChanged: () => void,
    private readonly onCall: (host: Host, call: NestedCall) => void,
    private readonly log: (message: string) => void,
  ) {}

  /** Connects every host. */
  open(): void {
    for (const state of this.rooms.hosts.values()) state.host.open(this.reports(state));
    for (const number of this.core.state.live) this.watchLimit(this.core.state.task(number));
  }

  /** Lets go of the hosts; attempts go on (R31). */
  async close(): Promise<void> {
    for (const cancel of this.limits.values()) cancel();
    await Promise.all([...this.rooms.hosts.values()].map(({ host }) => host.close()));
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
    if (found === null || !found.host.online) return;
    const { task, host } = found;
    // Cancelled between the order and now: the host must learn that it never starts.
    if (task.attempts[attempt - 1]?.stopping !== null) {
      this.stop(number, attempt);
      return;
    }
    const pool = this.rooms.poolOf(task.spec.pool);
    const settings = this.rooms.settingsOf(host.host.name, task.spec.workspace);
    const size = { cpus: host.facts?.cpus ?? 1, gpus: host.facts?.gpus.length ?? 0 };
    host.host.start(startOrder(this.core.state, task, pool, settings, size));
  }

  private stop(number: TaskNumber, attempt: number): void {
    const found = this.present(number, attempt);
    if (found === null || !found.host.online) return;
    found.host.host.stop(attemptKey(number, attempt), this.rooms.grace(found.task.spec.workspace));
  }

  private forget(attempts: readonly { host: string; task: TaskNumber; attempt: number }[]): void {
    for (const [name, { host }] of this.rooms.hosts) {
      const keys = attempts.filter((one) => one.host === name).map((one) => attemptKey(one.task, one.attempt));
      if (keys.length > 0) host.forget(keys).catch((error: Error) => this.log(`cleaning up on ${name}: ${error.message}`));
    }
  }

  private reports(state: HostState): HostReports {
    return {
      online: (facts) => this.online(state, facts),
      offline: (reason) => this.offline(state, reason),
      started: (key) => this.event(key, (task, attempt, at) => ({ type: 'started', at, task, attempt })),
      ended: (key, exit) => this.ended(key, exit),
      lost: (key) => this.event(key, (task, attempt, at) => ({ type: 'lost', at, task, attempt })),
      absent: (key) => this.absent(key),
      call: (call) => this.onCall(state.host, call),
    };
  }

  private online(state: HostState, facts: HostFacts): void {
    state.online = true;
    state.since = this.core.time();
    state.trouble = null;
    state.facts = facts;
    this.rooms.hostsChanged();
    for (const number of this.core.state.live) this.catchUp(state, this.core.state.task(number));
    this.core.schedule();
    this.hostsChanged();
  }

  /** Finds out about an attempt that was under way when this host was last heard of. */
  private catchUp(state: HostState, task: Task): void {
    const attempt = task.attempts.at(-1);
    if (attempt === undefined || attempt.allocation.host !== state.host.name) return;
    if (attempt.state !== 'starting' && attempt.state !== 'running') return;
    if (attempt.stopping !== null) this.stop(task.number, task.attempts.length);
    else state.host.check(attemptKey(task.number, task.attempts.length));
  }

  private offline(state: HostState, reason: string): void {
    if (state.online) state.since = this.core.time();
    state.online = false;
    state.trouble = reason;
    this.hostsChanged();
  }

  private event(key: string, make: (task: TaskNumber, attempt: number, at: number) => Parameters<Core['commit']>[0]): void {
    const { task, attempt } = parseKey(key);
    const found = this.present(task, attempt);
    const state = found?.task.attempts[attempt - 1]?.state;
    if (found === null || (state !== 'starting' && state !== 'running')) return;
    const event = make(task, attempt, this.core.time());
    if (event.type === 'started' && state === 'running') return;
    this.core.commit(event);
    this.watchLimit(found.task);
  }

  private ended(key: string, exit: Exit): void {
    this.event(key, (task, attempt, at) => ({ type: 'ended', at, task, attempt, exit }));
  }

  /** The host has never heard of the attempt: an order was lost, or with it all the host knew. */
  private absent(key: string): void {
    const { task, attempt } = parseKey(key);
    const state = this.core.state.tasks.get(task)?.attempts[attempt - 1]?.state;
    if (state === 'starting') this.start(task, attempt);
    else this.event(key, (number, n, at) => ({ type: 'lost', at, task: number, attempt: n }));
  }

  /** R27: a running attempt with a time limit is stopped when that is over, also after a restart. */
  private watchLimit(task: Task): void {
    this.limits.get(task.number)?.();
    this.limits.delete(task.number);
    const attempt = task.attempts.at(-1);
    if (task.spec.timeLimit === null || task.phase.kind !== 'running' || attempt?.startedAt == null) return;
    const left = attempt.startedAt + task.spec.timeLimit * 1000 - this.core.time();
    const number = task.number;
    const elapsed = () => {
      this.limits.delete(number);
      if (left > longestDelay) this.watchLimit(task);
      else this.core.commit({ type: 'timedOut', at: this.core.time(), task: number, attempt: task.attempts.length });
    };
    this.limits.set(number, this.timers.after(Math.max(0, Math.min(left, longestDelay)), elapsed));
  }
}

export function parseKey(key: string): { task: TaskNumber; attempt: number } {
  const [task, attempt] = key.split('.');
  return { task: Number(task), attempt: Number(attempt) };
}
