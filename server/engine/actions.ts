/** What cancel, hold, release, retry and prune do to a task, or why they do nothing. */
import type { TaskEvent } from '../model/events.ts';
import { statusOf } from '../model/outcome.ts';
import { isGangShard, type State, subtree } from '../model/state.ts';
import type { Task, TaskNumber } from '../model/task.ts';

export interface ActionDecision {
  /** What to commit; null where nothing is to be done. */
  event: TaskEvent | null;
  message: string;
}

export function cancelDecision(task: Task, at: number): ActionDecision {
  if (task.phase.kind === 'done') return nothing(`${task.id} is done already: ${statusOf(task)}`);
  if (task.cancelled) return nothing(`${task.id} is being cancelled already`);
  return { event: { type: 'cancelled', at, task: task.number }, message: `${task.id} is cancelled` };
}

export function holdDecision(task: Task, at: number, state: State): ActionDecision {
  if (task.held) return nothing(`${task.id} is held already`);
  if (task.phase.kind !== 'waiting' && task.phase.kind !== 'queued') {
    return nothing(`${task.id} has started already (${statusOf(task)}); only what waits can be held`);
  }
  if (isGangShard(state, task))
    return nothing(`${task.id} starts with its gang; hold ${task.id.replace(/\/[^/]*$/, '')} instead`);
  return { event: { type: 'held', at, task: task.number }, message: `${task.id} is held` };
}

export function releaseDecision(task: Task, at: number): ActionDecision {
  if (!task.held) return nothing(`${task.id} is not held`);
  return { event: { type: 'released', at, task: task.number }, message: `${task.id} is released` };
}

export function retryDecision(task: Task, at: number, state: State): ActionDecision {
  if (task.phase.kind !== 'done')
    return nothing(`${task.id} is not done yet (${statusOf(task)}); cancel it first to run it anew`);
  for (let up = task.parent; up !== null; up = state.task(up).parent) {
    const { id, cancelled, phase } = state.task(up);
    if (cancelled && phase.kind !== 'done')
      return nothing(`${id} is being cancelled; retry ${task.id} when that is done`);
  }
  const { outcome } = task.phase;
  if (outcome === 'success') return nothing(`${task.id} succeeded: nothing of it failed`);
  if (outcome === 'skipped') return nothing(`${task.id} was skipped: nothing of it failed`);
  return {
    event: { type: 'retried', at, task: task.number },
    message: `${task.id} runs its failed part again`,
  };
}

function nothing(message: string): ActionDecision {
  return { event: null, message };
}

/** Done runs that ended before `before`, the newest `keep` of all done runs and those others wait for excepted. */
export function prunableRuns(state: State, { before, keep }: { before: number; keep: number }): TaskNumber[] {
  const done = [...state.runs].map((number) => state.task(number)).filter((run) => run.phase.kind === 'done');
  const candidates = keep > 0 ? done.slice(0, -keep) : done;
  return candidates
    .filter((run) => endedBefore(run, before) && !isAwaited(state, run))
    .map((run) => run.number);
}

function endedBefore(run: Task, before: number): boolean {
  return run.phase.kind === 'done' && run.phase.at < before;
}

function isAwaited(state: State, run: Task): boolean {
  return subtree(state, run).some((task) =>
    task.dependents.some((dependent) => state.live.has(dependent.task)),
  );
}
