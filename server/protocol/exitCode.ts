/** With which code a program ends that has waited for a task (R3). */
import type { TaskView } from './tasks.ts';

/** Codes that a wait can end with, beside those of the task's own command. */
export const exitCodes = {
  /** Its sub-tasks failed, or it was cancelled, although its own command ended well. */
  failed: 1,
  /** Its time limit ended it; as timeout(1) says it. */
  timeLimit: 124,
  /** Its command was never run: failed upstream, skipped, or cancelled before its start. */
  neverRan: 125,
} as const;

/** The code for a task that is done: its command's own, 128+N where it died of signal N. */
export function exitCodeOf(task: Pick<TaskView, 'status' | 'exitCode' | 'reason'>): number {
  if (task.status === 'SUCCESS') return 0;
  if (task.status === 'FAILED_UPSTREAM' || task.status === 'SKIPPED') return exitCodes.neverRan;
  if (task.status === 'CANCELLED' && task.exitCode === null) return exitCodes.neverRan;
  if (task.reason === 'time limit') return exitCodes.timeLimit;
  return task.exitCode || exitCodes.failed;
}

/**
 * What to say of an end, or null: success needs no words, and a command that exits with a code of
 * its own has spoken for itself.
 */
export function endSentence(
  task: Pick<TaskView, 'id' | 'status' | 'exitCode' | 'signal' | 'reason'>,
): string | null {
  const saidAll = task.reason === null || task.reason === `exited with ${task.exitCode}`;
  if (exitCodeOf(task) === 0 || (saidAll && exitCodeOf(task) === task.exitCode && task.signal === null)) {
    return null;
  }
  return `${task.id} ended ${task.status}${task.reason === null ? '' : `: ${task.reason}`}`;
}
