/** How ends add up: of a task's own command and its children (R13, R14). */
import type { Exit, Outcome, Status, Task } from './task.ts';

/** Whether an outcome fails what depends on its success (R15) and the parent (R14). */
export function isFailure(outcome: Outcome): boolean {
  return outcome === 'failure' || outcome === 'failedUpstream' || outcome === 'cancelled';
}

export function commandFailed(exit: Exit): boolean {
  return exit.exitCode !== 0 || exit.reason !== null;
}

/** Whether this ended child counts against its parent, whose present attempt is `generation`. */
export function countsAsFailed(child: Task, generation: number): boolean {
  return (
    child.phase.kind === 'done' &&
    isFailure(child.phase.outcome) &&
    !child.spec.allowFailure &&
    child.generation === generation
  );
}

/** Whether the present attempt of its parent is blocked until this child, which is not done, ends (R23). */
export function isAwaited(child: Task, parent: Task): boolean {
  return child.spec.awaited && child.generation === parent.attempts.length;
}

/** The outcome of a task whose own command and children have all ended, whatever the order. */
export function rolledUpOutcome(task: Task): { outcome: Outcome; reason: string | null } {
  if (task.cancelled) return { outcome: 'cancelled', reason: 'cancelled' };
  if (task.own !== null && commandFailed(task.own)) return { outcome: 'failure', reason: task.own.reason };
  const { failed } = task.tally;
  if (failed > 0) return { outcome: 'failure', reason: `${failed} of ${count(task.children.length)} failed` };
  return { outcome: 'success', reason: null };
}

function count(children: number): string {
  return children === 1 ? '1 sub-task' : `${children} sub-tasks`;
}

const outcomeStatus: Record<Outcome, Status> = {
  success: 'SUCCESS',
  failure: 'FAILURE',
  failedUpstream: 'FAILED_UPSTREAM',
  skipped: 'SKIPPED',
  cancelled: 'CANCELLED',
};

/** The status word of a task. */
export function statusOf(task: Task): Status {
  switch (task.phase.kind) {
    case 'waiting':
      return 'PENDING';
    case 'queued':
      return 'QUEUED';
    case 'starting':
      return 'STARTING';
    case 'running':
      return 'RUNNING';
    case 'subtasks':
      return 'RUNNING_SUBTASKS';
    case 'done':
      return outcomeStatus[task.phase.outcome];
  }
}
