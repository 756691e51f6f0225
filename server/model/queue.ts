import type { Task, TaskNumber } from './task.ts';

interface Entry {
  priority: number;
  number: TaskNumber;
}

function before(a: Entry, b: Entry): boolean {
  return a.priority !== b.priority ? a.priority < b.priority : a.number < b.number;
}

/**
 * Waiting tasks in the order of R25: priority, then submission. A sorted array, since nearly every
 * task joins at the end and leaves at the front. Tasks that left otherwise (cancelled, held) are
 * skipped by whoever reads, so an entry may be stale; `isQueued` tells.
 */
export class TaskQueue {
  private entries: Entry[] = [];
  private head = 0;

  constructor(private readonly isQueued: (number: TaskNumber) => boolean) {}

  add(task: Task): void {
    const entry = { priority: task.spec.priority, number: task.number };
    let low = this.head;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(this.entries[middle] as Entry, entry)) low = middle + 1;
      else high = middle;
    }
    if (this.entries[low]?.number !== entry.number) this.entries.splice(low, 0, entry);
  }

  /** The queued tasks, first to last. The queue must not change while this is read. */
  *[Symbol.iterator](): Generator<TaskNumber> {
    this.trim();
    for (let at = this.head; at < this.entries.length; at++) {
      const entry = this.entries[at] as Entry;
      if (this.isQueued(entry.number)) yield entry.number;
    }
  }

  isEmpty(): boolean {
    this.trim();
    return this.head === this.entries.length;
  }

  private trim(): void {
    while (this.head < this.entries.length && !this.isQueued((this.entries[this.head] as Entry).number)) {
      this.head += 1;
    }
    if (this.head > 1_000 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }
}
