import type { Phase, Task } from './task.ts';

/** A task in line, until it leaves the phase in which it joined. What it joined with keeps the line sorted. */
interface Entry {
  task: Task;
  phase: Phase;
  priority: number;
}

function before(a: Entry, b: Entry): boolean {
  return a.priority !== b.priority ? a.priority < b.priority : a.task.number < b.task.number;
}

/** Whether `a` is served before `b` where both wait for the same pool (R25). */
export function comesBefore(a: Task, b: Task): boolean {
  return a.spec.priority !== b.spec.priority ? a.spec.priority < b.spec.priority : a.number < b.number;
}

function isStale(entry: Entry): boolean {
  return entry.task.phase !== entry.phase;
}

/**
 * Waiting tasks in the order of R25: priority, then submission. A sorted array, since nearly every
 * task joins at the end or, to be run again, near the front, and leaves at the front. Tasks that left
 * otherwise (cancelled, held) stay until they come to the front, and are passed over.
 */
export class TaskQueue {
  private entries: Entry[] = [];
  private head = 0;

  /** Lets a task join that has just become queued. */
  add(task: Task): void {
    const entry = { task, phase: task.phase, priority: task.spec.priority };
    let low = this.head;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(this.entries[middle] as Entry, entry)) low = middle + 1;
      else high = middle;
    }
    if (this.entries[low]?.task === task) this.entries[low] = entry;
    else if (this.head > 0 && low - this.head < this.entries.length - low) {
      this.entries.copyWithin(this.head - 1, this.head, low);
      this.head -= 1;
      this.entries[low - 1] = entry;
    } else this.entries.splice(low, 0, entry);
  }

  /** The queued tasks, first to last. The queue must not change while this is read. */
  *[Symbol.iterator](): Generator<Task> {
    this.trim();
    for (let at = this.head; at < this.entries.length; at++) {
      const entry = this.entries[at] as Entry;
      if (!isStale(entry)) yield entry.task;
    }
  }

  isEmpty(): boolean {
    return this.first() === null;
  }

  /** The task that is served first, or null where none is queued. */
  first(): Task | null {
    this.trim();
    return this.entries[this.head]?.task ?? null;
  }

  private trim(): void {
    while (this.head < this.entries.length && isStale(this.entries[this.head] as Entry)) this.head += 1;
    if (this.head > 1_000 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }
}
