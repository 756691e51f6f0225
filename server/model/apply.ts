/** The reducer: the one way in which state changes. Deterministic, without IO, clock or randomness. */

import { attemptEnded, attemptLost, beginSubtasks, cancelTree, enter, settle } from './ending.ts';
import type { Claimed, Effect, Placement, ResolvedDependency, Submitted, TaskEvent } from './events.ts';
import { isAwaited } from './outcome.ts';
import { reopen } from './retry.ts';
import { linkDependencies, recount, type State, unlinkDependencies } from './state.ts';
import type { Step } from './step.ts';
import type { Attempt, Dependency, Task, TaskNumber, TaskSpec } from './task.ts';
import { collected, delivered, newTree } from './tree.ts';

/**
 * Applies one event and everything that follows from it, and returns what is to be done on hosts
 * once the event is durable. `sequence` must be the one after `state.sequence`. Events come from
 * `decide` functions or from the journal and are trusted.
 */
export function apply(state: State, event: TaskEvent, sequence: number): Effect[] {
  state.sequence = sequence;
  const step: Step = { state, at: event.at, pending: [], effects: [] };
  change(step, event);
  settle(step);
  return step.effects;
}

function change(step: Step, event: TaskEvent): void {
  const { state } = step;
  switch (event.type) {
    case 'environment':
      state.environments.set(event.key, event.change);
      break;
    case 'submitted':
      submitted(step, event);
      break;
    case 'claimed':
      claimed(step, event);
      break;
    case 'placed':
      for (const placement of event.placements) placed(step, placement);
      break;
    case 'started':
      started(step, event.task, event.attempt);
      break;
    case 'ended': {
      const ended = closeAttempt(step, event.task, event.attempt, 'ended');
      if (ended === null) break;
      const timedOut = ended.attempt.stopping === 'time limit';
      ended.attempt.exit = timedOut ? { ...event.exit, reason: 'time limit' } : event.exit;
      attemptEnded(step, ended.task, ended.attempt.exit);
      break;
    }
    case 'lost': {
      const lost = closeAttempt(step, event.task, event.attempt, 'lost');
      if (lost !== null) attemptLost(step, lost.task);
      break;
    }
    case 'delivered':
      delivered(state, event);
      break;
    case 'collected':
      collected(state, event);
      break;
    case 'timedOut':
      timedOut(step, event.task, event.attempt);
      break;
    case 'cancelled':
      cancelTree(step, state.task(event.task));
      break;
    case 'held':
      hold(step, state.task(event.task));
      break;
    case 'released': {
      const task = state.task(event.task);
      state.touch(task);
      task.held = false;
      if (task.shard !== null && task.parent !== null) state.scope(task.parent).lookAgainAt(task.shard);
      step.pending.push(task.number);
      break;
    }
    case 'retried':
      reopen(step, state.task(event.task));
      break;
    case 'pruned':
      prune(step, event.runs);
      break;
  }
}

function prune(step: Step, runs: readonly TaskNumber[]): void {
  const { state } = step;
  const removed = state.remove(runs);
  leaveOthers(step, removed);
  const attempts = removed.flatMap((task) =>
    task.attempts.map(({ allocation }, index) => ({
      host: allocation.host,
      task: task.number,
      attempt: index + 1,
    })),
  );
  step.effects.push({ type: 'forget', attempts });
  const used = new Set([...state.tasks.values()].map((task) => task.spec.environment));
  for (const key of state.environments.keys()) {
    if (!used.has(key)) state.environments.delete(key);
  }
}

/** What stays must not point at what is gone: neither wait for it nor tell it anything. */
function leaveOthers(step: Step, removed: readonly Task[]): void {
  const { state } = step;
  const neighbours = (numbers: Iterable<TaskNumber>): Task[] =>
    [...new Set(numbers)].flatMap((number) => state.tasks.get(number) ?? []);
  for (const dependent of neighbours(removed.flatMap((task) => task.dependents.map((one) => one.task)))) {
    state.touch(dependent);
    for (const dependency of dependent.dependencies) {
      if (dependency.upstream === null) continue;
      dependency.upstream = dependency.upstream.filter((number) => state.tasks.has(number));
      recount(state, dependency);
    }
    step.pending.push(dependent.number);
  }
  const upstreams = removed.flatMap((task) => task.dependencies.flatMap(({ upstream }) => upstream ?? []));
  for (const upstream of neighbours(upstreams)) {
    upstream.dependents = upstream.dependents.filter(({ task }) => state.tasks.has(task));
  }
}

function submitted(step: Step, event: Submitted): void {
  const { state } = step;
  const parent = event.parent === null ? null : state.task(event.parent);
  const task = newTask(event, parent, step.state.sequence);
  if (parent !== null) state.touch(parent);
  add(step, task, parent);
  if (event.spec.shards !== null) {
    for (let index = 0; index < event.spec.shards.total; index++) {
      add(step, newShard(task, event, index), task);
    }
  }
  linkDependencies(state, task);
  enter(step, task);
}

function add(step: Step, task: Task, parent: Task | null): void {
  step.state.insert(task);
  step.state.touch(task);
  step.state.scope(parent?.number ?? 0).bear(task);
  if (parent !== null && task.spec.awaited) parent.tally.awaited += 1;
}

function newTask(event: Submitted, parent: Task | null, revision: number): Task {
  return {
    number: event.number,
    id: parent === null ? event.segment : `${parent.id}/${event.segment}`,
    segment: event.segment,
    parent: event.parent,
    run: parent?.run ?? event.number,
    shard: null,
    spec: event.spec,
    dependencies: event.dependencies.map(unlinked),
    phase: { kind: 'waiting' },
    held: event.held,
    cancelled: false,
    attempts: [],
    failures: 0,
    losses: 0,
    own: null,
    generation: parent?.attempts.length ?? 0,
    keys: event.key === null ? [] : [event.key],
    createdAt: event.at,
    needs: 0,
    tree: event.tree ? newTree(event.tree) : null,
    report: event.tree?.notes ? { files: 0, bytes: 0, removed: 0, notes: event.tree.notes } : null,
    revision,
    children: [],
    tally: { done: 0, failed: 0, awaited: 0, active: 0 },
    dependents: [],
  };
}

function unlinked(dependency: ResolvedDependency) {
  return { ...dependency, tally: { left: 0, failed: 0, skipped: 0 } };
}

/** Shard `index` of a task made by `-N`. */
function newShard(group: Task, event: Submitted, index: number): Task {
  const name = String(index);
  const spec = shardSpec(group.spec, index);
  const shard = {
    ...event,
    number: group.number + 1 + index,
    segment: name,
    spec,
    dependencies: [],
    held: false,
    tree: undefined,
  };
  return {
    ...newTask({ ...shard, parent: group.number, key: null }, group, group.revision),
    shard: index,
  };
}

/** A shard shares its group's spec but for the name and what concerns the group's parent. */
function shardSpec(group: TaskSpec, index: number): TaskSpec {
  return { ...group, name: String(index), shards: null, awaited: false, allowFailure: false };
}

function claimed(step: Step, event: Claimed): void {
  const { state } = step;
  const task = state.task(event.task);
  const parent = state.task(task.parent ?? 0);
  state.touch(task);
  state.touch(parent);
  if (event.key !== null) {
    task.keys = [...task.keys, event.key];
    state.byKey.set(event.key, task.number);
  }
  dependAnew(state, task, event.dependencies);
  const runsAgain = task.phase.kind === 'done' && task.phase.outcome !== 'success';
  if (runsAgain || task.phase.kind === 'waiting') {
    if (runsAgain) reopen(step, task);
    respecify(state, task, event.spec);
  } else {
    // It is under way, or was, as it was submitted first; what its parent makes of it may have changed.
    const { awaited, allowFailure } = event.spec;
    task.spec = { ...task.spec, awaited, allowFailure };
  }
  task.generation = parent.attempts.length;
  if (task.phase.kind !== 'done' && isAwaited(task, parent)) parent.tally.awaited += 1;
  state.scope(parent.number).bear(task);
  enter(step, task);
}

function dependAnew(state: State, task: Task, dependencies: readonly ResolvedDependency[]): void {
  if (sameDependencies(task.dependencies, dependencies)) return;
  unlinkDependencies(state, task);
  task.dependencies = dependencies.map(unlinked);
  linkDependencies(state, task);
}

/** Spares a large fan-out that is submitted again from being taken out of what it waits for one by one. */
function sameDependencies(a: readonly Dependency[], b: readonly ResolvedDependency[]): boolean {
  const text = (all: readonly ResolvedDependency[]) =>
    JSON.stringify(all.map(({ kind, name, upstream, awaits }) => [kind, name, upstream, awaits]));
  return text(a) === text(b);
}

function respecify(state: State, task: Task, spec: TaskSpec): void {
  task.spec = spec;
  if (spec.shards === null) return;
  for (const number of task.children) {
    const shard = state.task(number);
    // A gang runs again as a whole, with what has succeeded.
    if (shard.shard === null || (shard.phase.kind === 'done' && !spec.shards.gang)) continue;
    state.touch(shard);
    shard.spec = shardSpec(spec, shard.shard);
  }
}

function placed(step: Step, placement: Placement): void {
  const { state } = step;
  const task = state.task(placement.task);
  state.touch(task);
  const attempt: Attempt = {
    allocation: placement.allocation,
    state: 'starting',
    stopping: null,
    placedAt: step.at,
    startedAt: null,
    endedAt: null,
    exit: null,
  };
  task.attempts.push(attempt);
  state.enterPhase(task, { kind: 'starting' });
  task.tally.failed = 0;
  task.tally.awaited = 0;
  if (task.attempts.length > 1) state.existingScope(task.number)?.beginGeneration();
  state.occupy(task, attempt);
  step.effects.push({ type: 'start', task: task.number, attempt: task.attempts.length });
  const group = task.parent === null ? null : state.task(task.parent);
  if (group?.phase.kind === 'queued' && group.spec.shards?.gang === true) {
    beginSubtasks(step, group);
  }
}

/** The attempt a report is about, if it is the present one and still under way; else the report is late. */
function presentAttempt(
  state: State,
  number: number,
  attempt: number,
): { task: Task; attempt: Attempt } | null {
  const task = state.tasks.get(number);
  const present = task?.attempts.at(-1);
  if (task === undefined || present === undefined || task.attempts.length !== attempt) return null;
  return present.state === 'starting' || present.state === 'running' ? { task, attempt: present } : null;
}

function started(step: Step, number: number, attemptNumber: number): void {
  const found = presentAttempt(step.state, number, attemptNumber);
  if (found === null || found.attempt.state !== 'starting') return;
  step.state.touch(found.task);
  found.attempt.state = 'running';
  found.attempt.startedAt = step.at;
  step.state.enterPhase(found.task, { kind: 'running' });
}

function closeAttempt(step: Step, number: number, attemptNumber: number, as: 'ended' | 'lost') {
  const found = presentAttempt(step.state, number, attemptNumber);
  if (found === null) return null;
  step.state.touch(found.task);
  found.attempt.state = as;
  found.attempt.endedAt = step.at;
  step.state.vacate(found.task, found.attempt);
  return found;
}

function timedOut(step: Step, number: number, attemptNumber: number): void {
  const found = presentAttempt(step.state, number, attemptNumber);
  if (found === null || found.attempt.stopping !== null) return;
  step.state.touch(found.task);
  found.attempt.stopping = 'time limit';
  step.effects.push({ type: 'stop', task: number, attempt: attemptNumber });
}

function hold(step: Step, task: Task): void {
  step.state.touch(task);
  task.held = true;
  if (task.phase.kind !== 'queued') return;
  step.state.enterPhase(task, { kind: 'waiting' });
  // Where this is a shard, another may go in its place.
  if (task.shard !== null && task.parent !== null) step.pending.push(task.parent);
}
