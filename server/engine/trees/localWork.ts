/** When tasks of a run were at work on this machine, in the run's folder itself. Pure. */
import { localHost } from '../../config/configuration.ts';
import { type State, subtree } from '../../model/state.ts';
import type { Task } from '../../model/task.ts';

/** Milliseconds since the epoch. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A file system's clock ticks every few milliseconds, so what it notes may be as much too early. */
const tick = 10;

/**
 * The stretches of time in which a task of this run had its command running on this machine and was not blocked
 * in `vrun` (R23). What changed in the folder outside of them is somebody else's doing.
 */
export function localWork(state: State, run: Task, now: number): Stretch[] {
  return subtree(state, run).flatMap((task) => workOf(state, task, now));
}

function workOf(state: State, task: Task, now: number): Stretch[] {
  return task.attempts.flatMap(({ allocation, placedAt, endedAt }, index) => {
    if (allocation.host !== localHost) return [];
    const whole = { from: placedAt - tick, to: endedAt ?? now };
    const blocked = task.children.flatMap((number) => {
      const { spec, generation, createdAt, phase } = state.task(number);
      if (!spec.awaited || generation !== index + 1) return [];
      return [{ from: createdAt, to: phase.kind === 'done' ? phase.at - tick : now }];
    });
    return without(whole, blocked);
  });
}

function without(whole: Stretch, gaps: readonly Stretch[]): Stretch[] {
  const rest: Stretch[] = [];
  let from = whole.from;
  for (const gap of gaps.toSorted((a, b) => a.from - b.from)) {
    if (gap.from > from) rest.push({ from, to: Math.min(gap.from, whole.to) });
    from = Math.max(from, gap.to);
    if (from >= whole.to) return rest;
  }
  return [...rest, { from, to: whole.to }];
}

/** Whether the time, in milliseconds since the epoch, lies in one of the stretches. */
export function isWithin(stretches: readonly Stretch[], time: number): boolean {
  return stretches.some(({ from, to }) => time >= from && time <= to);
}
