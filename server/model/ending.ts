/**
 * How tasks move on: `settle` looks again at every task that something may have changed for, and
 * `end` is the only place where a task ends, whatever ended it (R17).
 */
import { bindWaiters, decideDependencies } from './dependencies.ts';
import { commandFailed, countsAsFailed, isAwaited, isFailure, rolledUpOutcome } from './outcome.ts';
import { regather } from './retry.ts';
import { gangOf, subtree } from './state.ts';
import type { Step } from './step.ts';
import type { Exit, Outcome, Task, TaskNumber } from './task.ts';
import { versionNow } from './tree.ts';

/** R32: this many lost attempts, then the task fails. */
const maxLosses = 3;
/** What a lost attempt is taken to have come to. */
const killed: Exit = { exitCode: 137, signal: 'KILL', reason: null };

function lookAt(step: Step, tasks: Iterable<TaskNumber>): void {
  for (const number of tasks) step.pending.push(number);
}

/** Looks at tasks until nothing changes any more. A list instead of recursion: chains are long. */
export function settle(step: Step): void {
  for (let number = step.pending.pop(); number !== undefined; number = step.pending.pop()) {
    const task = step.state.tasks.get(number);
    if (task !== undefined) examine(step, task);
  }
}

function examine(step: Step, task: Task): void {
  switch (task.phase.kind) {
    case 'waiting':
      examineWaiting(step, task);
      break;
    case 'subtasks':
      if (task.tally.done === task.children.length) {
        const { outcome, reason } = rolledUpOutcome(task);
        end(step, task, outcome, reason);
      } else if (task.spec.shards?.gang === true) restartGang(step, task);
      else if (task.spec.shards !== null) releaseShards(step, task);
      break;
    case 'queued':
      // A gang that was cancelled shard by shard has nothing left to wait for.
      if (task.spec.shards !== null && task.tally.done === task.children.length) beginSubtasks(step, task);
      break;
    case 'starting':
    case 'running':
    case 'done':
      break;
  }
}

function examineWaiting(step: Step, task: Task): void {
  const decision = decideDependencies(step.state, task);
  if (decision.kind === 'failedUpstream' || decision.kind === 'skipped') {
    endUnstarted(step, task, decision.kind, decision.reason);
  } else if (decision.kind === 'ready' && !task.held) {
    if (task.shard === null) open(step, task);
    else openShard(step, task);
  }
}

/** Ends a task that does not run; the shards of such a task end with it. */
function endUnstarted(step: Step, task: Task, outcome: Outcome, reason: string): void {
  if (task.spec.shards === null && task.tally.done < task.children.length) {
    // A script that was to run again, with a child retried by itself meanwhile: that one ends first.
    commandOver(step, task, { ...(task.attempts.at(-1)?.exit ?? killed), reason });
    return;
  }
  for (const number of task.children) {
    const child = step.state.task(number);
    if (child.phase.kind !== 'done') end(step, child, outcome, reason);
  }
  end(step, task, outcome, reason);
}

/** All a task waited for has come: it asks for room, or lets its shards go. */
function open(step: Step, task: Task): void {
  const { state } = step;
  if (task.spec.shards === null) {
    enqueue(step, task);
  } else if (task.spec.shards.gang) {
    for (const number of task.children) {
      const shard = state.task(number);
      if (shard.phase.kind === 'waiting') joinGang(step, shard);
    }
    enqueue(step, task);
    step.pending.push(task.number);
  } else {
    beginSubtasks(step, task);
  }
}

/** A shard may run: it starts with its gang, or when its group lets it go. */
function openShard(step: Step, shard: Task): void {
  if (shard.parent === null) return;
  const group = step.state.task(shard.parent);
  if (group.phase.kind === 'queued') joinGang(step, shard);
  else step.pending.push(group.number);
}

/** A shard of a gang is queued without a place of its own in the queue: the gang has one for all. */
function joinGang(step: Step, shard: Task): void {
  step.state.touch(shard);
  shard.needs = versionNow(step.state, shard);
  step.state.enterPhase(shard, { kind: 'queued' });
}

function enqueue(step: Step, task: Task): void {
  step.state.touch(task);
  task.needs = versionNow(step.state, task);
  step.state.enterPhase(task, { kind: 'queued' });
  step.state.queue(task);
}

/** The own command of a task made by `-N` is nothing: it has ended as soon as its shards may start. */
export function beginSubtasks(step: Step, task: Task): void {
  step.state.touch(task);
  commandOver(step, task, { exitCode: 0, signal: null, reason: null });
}

/** Lets shards ask for room, as many at once as `%K` allows (R20). */
function releaseShards(step: Step, task: Task): void {
  const { state } = step;
  const scope = state.scope(task.number);
  const limit = task.spec.shards?.limit ?? Number.POSITIVE_INFINITY;
  for (; scope.nextShard < task.children.length && task.tally.active < limit; scope.nextShard++) {
    const shard = state.task(task.children[scope.nextShard] as TaskNumber);
    if (shard.phase.kind === 'waiting' && !shard.held) enqueue(step, shard);
  }
}

/** A gang of which a shard is to run again starts again as a whole, once nothing of it is under way (R21). */
function restartGang(step: Step, group: Task): void {
  if (group.tally.active > 0) return;
  regather(step, group);
  open(step, group);
}

/** The only place where a task ends. */
export function end(step: Step, task: Task, outcome: Outcome, reason: string | null): void {
  const { state } = step;
  if (task.phase.kind === 'done') return;
  state.touch(task);
  state.enterPhase(task, { kind: 'done', outcome, reason, at: step.at });
  state.live.delete(task.number);
  tellDependents(step, task, outcome);
  closeScope(step, task);
  if (task.parent === null) return;
  const parent = state.task(task.parent);
  state.touch(parent);
  parent.tally.done += 1;
  if (countsAsFailed(task, parent.attempts.length)) parent.tally.failed += 1;
  if (isAwaited(task, parent)) parent.tally.awaited -= 1;
  step.pending.push(parent.number);
}

function tellDependents(step: Step, task: Task, outcome: Outcome): void {
  for (const { task: number, dependency: index } of task.dependents) {
    const dependent = step.state.tasks.get(number);
    const dependency = dependent?.dependencies[index];
    if (dependent === undefined || dependency === undefined) continue;
    step.state.touch(dependent);
    dependency.tally.left -= 1;
    if (isFailure(outcome)) dependency.tally.failed += 1;
    if (outcome === 'skipped') dependency.tally.skipped += 1;
    if (dependent.phase.kind === 'waiting') step.pending.push(number);
  }
}

/** Nothing can be submitted below this task any more: names still awaited there stay unknown (R11). */
function closeScope(step: Step, task: Task): void {
  lookAt(step, step.state.existingScope(task.number)?.allWaiters() ?? []);
}

/** A new child takes its place in what waits for it and in what it waits for. */
export function enter(step: Step, task: Task): void {
  lookAt(step, bindWaiters(step.state, task));
  step.pending.push(task.number);
}

/** An attempt has ended with this exit: another follows, or the task's own command is over. */
export function attemptEnded(step: Step, task: Task, exit: Exit): void {
  const whole = gangOf(step.state, task) ?? task;
  if (makesWay(task)) waitForGang(step, task);
  else if (commandFailed(exit) && !task.cancelled && whole.failures < task.spec.retries) {
    step.state.touch(whole);
    whole.failures += 1;
    runAgain(step, task);
  } else commandOver(step, task, exit);
}

/** An attempt is lost without a recorded end (R32). */
export function attemptLost(step: Step, task: Task): void {
  const host = task.attempts.at(-1)?.allocation.host ?? 'its host';
  if (makesWay(task)) return waitForGang(step, task);
  const whole = gangOf(step.state, task) ?? task;
  step.state.touch(whole);
  whole.losses += 1;
  // Whoever was at its terminal is not at the next one: a person starts it again, or nobody.
  const hasTerminal = task.spec.stdin === 'terminal';
  if (task.cancelled || hasTerminal || whole.losses >= maxLosses) {
    const times = hasTerminal ? 'with its terminal' : `${whole.losses} times`;
    const reason = `lost ${times}: its process on ${host} was gone without a recorded end`;
    commandOver(step, task, { ...killed, reason: task.cancelled ? null : reason });
  } else runAgain(step, task);
}

/** Whether the latest attempt was stopped so that its gang can start again. */
function makesWay(task: Task): boolean {
  return task.attempts.at(-1)?.stopping === 'gang' && !task.cancelled;
}

/** Has a task ask for room again. A shard of a gang cannot go on without the others: all start again (R21). */
function runAgain(step: Step, task: Task): void {
  const gang = gangOf(step.state, task);
  if (gang === null) return enqueue(step, task);
  for (const number of gang.children) {
    const shard = step.state.task(number);
    const attempt = shard.attempts.at(-1);
    if (attempt === undefined || (shard.phase.kind !== 'starting' && shard.phase.kind !== 'running'))
      continue;
    if (shard === task || attempt.stopping === 'cancelled') continue;
    step.state.touch(shard);
    if (attempt.stopping === null) {
      step.effects.push({ type: 'stop', task: number, attempt: shard.attempts.length });
    }
    attempt.stopping = 'gang';
  }
  waitForGang(step, task);
}

function waitForGang(step: Step, shard: Task): void {
  step.state.touch(shard);
  step.state.enterPhase(shard, { kind: 'waiting' });
  step.pending.push(shard.number);
}

function commandOver(step: Step, task: Task, exit: Exit): void {
  step.state.touch(task);
  task.own = exit;
  step.state.enterPhase(task, { kind: 'subtasks' });
  closeScope(step, task);
  step.pending.push(task.number);
}

/** Cancels a task and all below it (R26): what has not started ends now, what runs is stopped. */
export function cancelTree(step: Step, root: Task): void {
  for (const task of subtree(step.state, root).reverse()) {
    if (task.phase.kind === 'done') continue;
    step.state.touch(task);
    task.cancelled = true;
    const attempt = task.attempts.at(-1);
    if (task.phase.kind === 'starting' || task.phase.kind === 'running') {
      if (attempt !== undefined && attempt.stopping === null) {
        attempt.stopping = 'cancelled';
        step.effects.push({ type: 'stop', task: task.number, attempt: task.attempts.length });
      }
    } else if (task.tally.done === task.children.length) end(step, task, 'cancelled', 'cancelled');
    else if (task.phase.kind !== 'subtasks') {
      // A script between two attempts, with children under way: it will not run again.
      commandOver(step, task, attempt?.exit ?? killed);
    }
  }
}
