/** Time that passes only when a test says so. */
import type { Timers } from '../../server/timers.ts';

export class ManualTimers implements Timers {
  private time = 0;
  private readonly waiting = new Set<{ at: number; action: () => void }>();

  now(): number {
    return this.time;
  }

  after(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.time + milliseconds, action };
    this.waiting.add(timer);
    return () => this.waiting.delete(timer);
  }

  /** How many timers have been set and neither run nor been called off. */
  get pending(): number {
    return this.waiting.size;
  }

  /** Lets time pass; runs what falls due, in order. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const due = [...this.waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.waiting.delete(due);
      this.time = Math.max(this.time, due.at);
      due.action();
    }
    this.time = end;
  }
}
