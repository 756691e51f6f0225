/** The attempts of a host: what runs there, what is being stopped and what has ended, as far as its agent tells. */
import type { Exit } from '../model/task.ts';
import { exitOf, type HostEvent } from './agent/events.ts';
import { checkOrder, forgetOrder, hangUpOrder, stopOrder, sweepOrder } from './agent/orders.ts';
import type { NestedCalls } from './calls.ts';
import type { AttemptKey, CallKey, HostReports, LogStream, StartOrder } from './host.ts';
import type { Launcher } from './launcher.ts';
import { streams } from './logOrder.ts';
import type { Logs } from './logs.ts';
import type { Terminals } from './terminals.ts';
import type { Typing } from './typing.ts';
import { startFailure, unableExit } from './unable.ts';

export type AttemptEvent = Extract<
  HostEvent,
  { type: 'started' | 'ended' | 'stopped' | 'unable' | 'lost' | 'absent' }
>;

export interface AttemptParts {
  /** Of the host. */
  readonly name: string;
  readonly logs: Logs;
  readonly calls: NestedCalls;
  readonly terminals: Terminals;
  readonly typing: Typing;
  /** Gives the agent an order; without one, nothing comes of it. */
  readonly send: (order: string) => void;
}

/** How many attempts one order sweeps or forgets, so that others get their turn. */
const batchSize = 100;

export class Attempts {
  /** Those that run, as far as is known. */
  private readonly live = new Set<AttemptKey>();
  /** Those whose end is told only when the stop has left nothing of them. */
  private readonly stopping = new Set<AttemptKey>();
  private reports: HostReports | null = null;
  private isClosed = false;

  constructor(private readonly parts: AttemptParts) {}

  /** From now on what becomes of attempts is reported. */
  open(reports: HostReports): void {
    this.reports = reports;
  }

  /** What terminals still show is waited for no more. */
  close(): void {
    this.isClosed = true;
  }

  /** @param isPresent whether the agent that is to start it still is the one at hand */
  start(order: StartOrder, launcher: Launcher, isPresent: () => boolean): void {
    launcher.launch(order).catch((error: Error) => {
      // What a lost connection has kept from being written is ordered again when it is back.
      if (isPresent()) this.finish(order.key, startFailure(this.parts.name, error), []);
    });
  }

  stop(key: AttemptKey, graceSeconds: number): void {
    this.stopping.add(key);
    this.parts.terminals.clear(key);
    this.parts.send(stopOrder(key, graceSeconds));
  }

  check(key: AttemptKey): void {
    this.parts.send(checkOrder(key));
  }

  /** The agent is gone: what it was to stop is ordered anew. */
  gone(): void {
    this.stopping.clear();
  }

  /** Whether the attempt that a call comes from is being stopped. */
  isStopping(call: CallKey): boolean {
    return this.stopping.has(call.slice(0, call.indexOf('/')));
  }

  heard(event: AttemptEvent): void {
    const { name, logs, calls, terminals, send } = this.parts;
    const { key } = event;
    switch (event.type) {
      case 'started':
        this.live.add(key);
        logs.started(key);
        // It was lost, but its host need not have noticed that.
        if (event.terminal && !terminals.has(key)) send(hangUpOrder(key));
        this.reports?.started(key);
        break;
      case 'ended':
        if (!this.stopping.has(key)) this.conclude(key, exitOf(event.end, name), event.written);
        break;
      case 'stopped':
        this.stopping.delete(key);
        calls.release(key);
        this.conclude(key, exitOf(event.end, name), event.written);
        break;
      case 'unable':
        this.finish(key, unableExit(name, 'the disk may be full'), streams);
        break;
      case 'lost':
        if (this.stopping.has(key)) break;
        this.release(key, streams);
        calls.release(key);
        terminals.release(key);
        this.reports?.lost(key);
        break;
      case 'absent':
        // A terminal that has just been opened for it stays: its start is still to come.
        this.release(key, streams);
        this.reports?.absent(key);
        break;
    }
  }

  /** Looks for attempts whose wrapper was killed, which nobody else would tell of. */
  sweep(): void {
    for (const key of this.parts.terminals.ended()) {
      // What was never heard to start has not come to that, and now never will.
      if (!this.live.has(key)) this.parts.send(stopOrder(key, 0));
    }
    for (const keys of inBatches([...this.live])) this.parts.send(sweepOrder(keys));
  }

  /** Removes all that is kept of these attempts, here and on the machine. */
  async forget(keys: readonly AttemptKey[]): Promise<void> {
    const { logs, calls, terminals } = this.parts;
    await logs.forget(keys);
    for (const key of keys) {
      calls.release(key);
      terminals.release(key);
    }
    this.discard(keys);
  }

  /** Has the machine remove all that it keeps of these attempts; while it is out of reach that has to wait. */
  discard(keys: readonly AttemptKey[]): void {
    for (const some of inBatches(keys)) this.parts.send(forgetOrder(some));
  }

  /** The command has ended; what it has shown in a terminal may still be on its way. */
  private conclude(key: AttemptKey, exit: Exit, written: readonly LogStream[]): void {
    const { terminals } = this.parts;
    if (!terminals.has(key)) return this.finish(key, exit, written);
    void terminals.drained(key).then(() => !this.isClosed && this.finish(key, exit, written));
  }

  private finish(key: AttemptKey, exit: Exit, written: readonly LogStream[]): void {
    this.release(key, written);
    this.parts.terminals.release(key);
    this.reports?.ended(key, exit);
  }

  private release(key: AttemptKey, written: readonly LogStream[]): void {
    const { logs, calls, typing } = this.parts;
    this.live.delete(key);
    logs.ended(key, written);
    calls.ended(key);
    typing.release(key);
  }
}

function inBatches(keys: readonly AttemptKey[]): AttemptKey[][] {
  const batches: AttemptKey[][] = [];
  for (let at = 0; at < keys.length; at += batchSize) batches.push(keys.slice(at, at + batchSize));
  return batches;
}
