import type { TaskNumber } from '../model/task.ts';

/** Those who wait for a task to change. */
export class Waiters {
  private readonly waiting = new Map<TaskNumber, Set<() => void>>();

  /** Resolves at the next durable change of a task, or when `signal` aborts. */
  changed(number: TaskNumber, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.waiting.get(number) ?? new Set();
      this.waiting.set(number, waiting);
      const done = (): void => {
        waiting.delete(done);
        if (waiting.size === 0) this.waiting.delete(number);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiting.add(done);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }

  /** These tasks have changed. */
  wake(numbers: Iterable<TaskNumber>): void {
    for (const number of numbers) {
      for (const done of [...(this.waiting.get(number) ?? [])]) done();
    }
  }
}
