/** R29: what failed runs again, what succeeded stays, and what gave up because of it waits again. */
import type { Step } from './ending.ts';
import { commandFailed, countsAsFailed } from './outcome.ts';
import { recount } from './state.ts';
import type { Task } from './task.ts';

/**
 * Reopens the failed part of a done task: leaves and scripts that failed get another attempt, every
 * ancestor is under way again, and tasks anywhere that ended FAILED_UPSTREAM or SKIPPED because of
 * one of these wait again. The children of a script that runs again stay as they are until it
 * submits them again.
 */
export function reopen(step: Step, root: Task): void {
  const again = failedPart(step, root);
  for (let at = 0; at < again.length; at++) {
    const task = again[at] as Task;
    if (task.phase.kind !== 'done') continue;
    const reopened = [...restart(step, task), ...reopenAncestors(step, task)];
    for (const opened of reopened) again.push(...recountDependents(step, opened));
  }
}

function failedPart(step: Step, root: Task): Task[] {
  const again: Task[] = [];
  const visit = (task: Task): void => {
    if (task.phase.kind !== 'done' || task.phase.outcome === 'success') return;
    if (task.phase.outcome === 'skipped' && task !== root) return;
    const stopped = (task.attempts.at(-1)?.stopping ?? null) !== null;
    if (task.own === null || commandFailed(task.own) || stopped) again.push(task);
    else for (const child of task.children) visit(step.state.task(child));
  };
  visit(root);
  return again.length === 0 ? [root] : again;
}

/** Makes a done task one that waits, as if just submitted. A group of shards takes its shards along. */
function restart(step: Step, task: Task): Task[] {
  const group = task.spec.shards === null ? [] : task.children.map((child) => step.state.task(child));
  const restarted = [...group.filter((shard) => shard.phase.kind === 'done'), task];
  for (const one of restarted) {
    undo(step, one);
    one.phase = { kind: 'waiting' };
    one.own = null;
    one.failures = 0;
    one.losses = 0;
    step.pending.push(one.number);
  }
  const scope = task.shard === null ? task.number : task.parent;
  const existing = step.state.existingScope(scope ?? 0);
  if (existing !== undefined) existing.nextShard = 0;
  return restarted;
}

function reopenAncestors(step: Step, task: Task): Task[] {
  const reopened: Task[] = [];
  for (let up = task.parent; up !== null; ) {
    const ancestor = step.state.task(up);
    if (ancestor.phase.kind === 'done') {
      undo(step, ancestor);
      ancestor.phase = { kind: 'subtasks' };
      reopened.push(ancestor);
    }
    up = ancestor.parent;
  }
  return reopened;
}

/** Takes a task's end back from its parent's tally. */
function undo(step: Step, task: Task): void {
  const { state } = step;
  state.touch(task);
  if (task.parent !== null) {
    const parent = state.task(task.parent);
    state.touch(parent);
    parent.tally.done -= 1;
    if (countsAsFailed(task, parent.attempts.length)) parent.tally.failed -= 1;
    if (task.spec.awaited) parent.tally.awaited += 1;
  }
  task.cancelled = false;
  state.live.add(task.number);
}

/** Brings what depends on a reopened task up to date; returns what had given up and waits again. */
function recountDependents(step: Step, task: Task): Task[] {
  const waitAgain: Task[] = [];
  for (const { task: number, dependency: index } of task.dependents) {
    const dependent = step.state.tasks.get(number);
    const dependency = dependent?.dependencies[index];
    if (dependent === undefined || dependency === undefined) continue;
    step.state.touch(dependent);
    recount(step.state, dependency);
    const { phase } = dependent;
    const gaveUp = phase.kind === 'done' && (phase.outcome === 'failedUpstream' || phase.outcome === 'skipped');
    if (gaveUp && dependent.own === null) waitAgain.push(dependent);
  }
  return waitAgain;
}
