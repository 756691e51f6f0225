/** A ledger in memory whose disk a test holds up, fills or breaks. */
import type { Ledger } from '../../server/engine/core.ts';
import type { TaskEvent } from '../../server/model/events.ts';
import { VbatchError } from '../../server/protocol/errors.ts';

interface Waiter {
  sequence: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class MemoryLedger implements Ledger {
  readonly events: TaskEvent[] = [];
  problem: VbatchError | null = null;
  private written: number;
  private held = false;
  private waiters: Waiter[] = [];

  /** @param before how many events there have been before those that this holds. */
  constructor(private readonly before = 0) {
    this.written = before;
  }

  append(event: TaskEvent): number {
    if (this.problem?.code === 'stateFailed') throw this.problem;
    this.events.push(JSON.parse(JSON.stringify(event)) as TaskEvent);
    if (!this.held) queueMicrotask(() => this.flush());
    return this.sequence;
  }

  private get sequence(): number {
    return this.before + this.events.length;
  }

  durable(sequence: number): Promise<void> {
    if (sequence <= this.written) return Promise.resolve();
    if (this.problem?.code === 'stateFailed') return Promise.reject(this.problem);
    return new Promise((resolve, reject) => this.waiters.push({ sequence, resolve, reject }));
  }

  beforeChange(): void {}

  /** From now on nothing becomes durable, until `release`. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    this.problem = null;
    this.flush();
  }

  fill(): void {
    this.hold();
    this.problem = new VbatchError('diskFull', 'the disk is full');
  }

  break(): void {
    this.hold();
    this.problem = new VbatchError('stateFailed', 'the disk is broken');
    for (const waiter of this.waiters.splice(0)) waiter.reject(this.problem);
  }

  private flush(): void {
    if (this.held) return;
    this.written = this.sequence;
    const ready = this.waiters.filter((waiter) => waiter.sequence <= this.written);
    this.waiters = this.waiters.filter((waiter) => waiter.sequence > this.written);
    for (const waiter of ready) waiter.resolve();
  }
}
