import type { AttemptKey } from '../hosts/host.ts';
import type { Task, TaskNumber } from '../model/task.ts';
import type { Timers } from '../timers.ts';
import { attemptKey } from './logs.ts';

/** How long a vrun may be away, as while a server is replaced. Milliseconds. */
const patienceMs = 5_000;

/**
 * Who can still type into tasks: those that wait for them. Where nobody is left, the stdin of a running
 * attempt is ended, because its command must not wait for ever (R36).
 */
export class Attendance {
  private readonly present = new Map<TaskNumber, number>();
  private readonly farewells = new Map<AttemptKey, () => void>();

  /** @param end ends the stdin of the task's latest attempt. */
  constructor(
    private readonly timers: Timers,
    private readonly end: (task: Task) => void,
  ) {}

  /** Somebody waits for the task until the returned function is called. */
  attend(task: Task): () => void {
    if (task.spec.stdin !== 'open') return () => {};
    this.change(task, 1);
    return () => this.change(task, -1);
  }

  /** The task may have an attempt that runs, or none any more. */
  look(task: Task): void {
    if (task.spec.stdin !== 'open') return;
    const key = attemptKey(task.number, task.attempts.length);
    const isLeft = task.attempts.at(-1)?.state === 'running' && !this.present.has(task.number);
    if (isLeft && !this.farewells.has(key)) {
      this.farewells.set(
        key,
        this.timers.after(patienceMs, () => this.end(task)),
      );
    } else if (!isLeft) {
      this.farewells.get(key)?.();
      this.farewells.delete(key);
    }
  }

  private change(task: Task, by: 1 | -1): void {
    const count = (this.present.get(task.number) ?? 0) + by;
    if (count === 0) this.present.delete(task.number);
    else this.present.set(task.number, count);
    this.look(task);
  }
}
