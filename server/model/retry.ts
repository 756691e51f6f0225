/** R29: what failed runs again, what succeeded stays, and what gave up because of it waits again. */

import { commandFailed, countsAsFailed, isAwaited, isFailure } from './outcome.ts';
import type { Step } from './step.ts';
import type { Task } from './task.ts';

/**
 * Reopens the failed part of a done task: leaves and scripts that failed get another attempt, every
 * ancestor is under way again, and tasks anywhere that ended FAILED_UPSTREAM or SKIPPED because of
 * one of these wait again. The children of a script that runs again stay as they are until it
 * submits them again.
 */
export function reopen(step: Step, root: Task): void {
  reopenAll(step, failedPart(step, root));
}

/** Makes a gang that has come to an end wait again, but for those of its shards that were cancelled (R21). */
export function regather(step: Step, group: Task): void {
  const again: Task[] = [];
  for (const number of group.children) {
    const shard = step.state.task(number);
    if (!shard.cancelled) waitAgain(step, shard, again);
  }
  waitAgain(step, group, again);
  reopenAll(step, again);
}

function reopenAll(step: Step, again: Task[]): void {
  for (let at = 0; at < again.length; at++) {
    const task = again[at] as Task;
    if (task.phase.kind !== 'done') continue;
    restart(step, task, again);
    reopenAncestors(step, task, again);
  }
}

function failedPart(step: Step, root: Task): Task[] {
  const again: Task[] = [];
  const visit = (task: Task): void => {
    if (task.phase.kind !== 'done' || task.phase.outcome === 'success') return;
    if (task.phase.outcome === 'skipped' && task !== root) return;
    const stopped = (task.attempts.at(-1)?.stopping ?? null) !== null;
    if (task.own === null || commandFailed(task.own) || stopped) again.push(task);
    else {
      const children = task.children.map((child) => step.state.task(child));
      for (const child of children) if (child.generation === task.attempts.length) visit(child);
    }
  };
  visit(root);
  return again.length === 0 ? [root] : again;
}

/** Makes a done task one that waits, as if just submitted. A group of shards takes its shards along. */
function restart(step: Step, task: Task, again: Task[]): void {
  const group = task.spec.shards === null ? [] : task.children.map((child) => step.state.task(child));
  for (const one of [...group, task]) {
    waitAgain(step, one, again);
    one.failures = 0;
    one.losses = 0;
    step.pending.push(one.number);
    if (one.shard !== null && one.parent !== null) step.state.scope(one.parent).lookAgainAt(one.shard);
  }
  // What gave up on a name that this script did not submit may find it now.
  for (const number of step.state.existingScope(task.number)?.allWaiters() ?? []) {
    const waiter = step.state.tasks.get(number);
    if (waiter !== undefined && waiter.parent !== task.number && gaveUp(waiter)) again.push(waiter);
  }
}

/** What it waits for, and how often it may still fail, stays as it is. */
function waitAgain(step: Step, task: Task, again: Task[]): void {
  undo(step, task, again);
  step.state.touch(task);
  step.state.enterPhase(task, { kind: 'waiting' });
  task.own = null;
}

function reopenAncestors(step: Step, task: Task, again: Task[]): void {
  for (let up = task.parent; up !== null; ) {
    const ancestor = step.state.task(up);
    if (ancestor.phase.kind === 'done') {
      if (ancestor.own === null) restart(step, ancestor, again);
      else {
        undo(step, ancestor, again);
        step.state.enterPhase(ancestor, { kind: 'subtasks' });
        // Those of a gang are counted for all its shards together.
        ancestor.failures = 0;
        ancestor.losses = 0;
      }
    }
    up = ancestor.parent;
  }
}

/** Takes a task's end, if it has ended, back from its parent and from what depends on it. */
function undo(step: Step, task: Task, again: Task[]): void {
  const { state } = step;
  if (task.phase.kind !== 'done') return;
  const { outcome } = task.phase;
  state.touch(task);
  if (task.parent !== null) {
    const parent = state.task(task.parent);
    state.touch(parent);
    parent.tally.done -= 1;
    if (countsAsFailed(task, parent.attempts.length)) parent.tally.failed -= 1;
    if (isAwaited(task, parent)) parent.tally.awaited += 1;
  }
  for (const { task: number, dependency: index } of task.dependents) {
    const dependent = state.task(number);
    const tally = dependent.dependencies[index]?.tally;
    if (tally === undefined) continue;
    state.touch(dependent);
    tally.left += 1;
    if (isFailure(outcome)) tally.failed -= 1;
    if (outcome === 'skipped') tally.skipped -= 1;
    if (gaveUp(dependent)) again.push(dependent);
  }
  task.cancelled = false;
  state.live.add(task.number);
}

function gaveUp({ phase, own }: Task): boolean {
  return (
    phase.kind === 'done' &&
    (phase.outcome === 'failedUpstream' || phase.outcome === 'skipped') &&
    own === null
  );
}
