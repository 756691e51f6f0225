/** The reducer: the one way in which state changes. Deterministic, without IO, clock or randomness. */
import type { Claimed, Effect, Placement, ResolvedDependency, Submitted, TaskEvent } from './events.ts';
import { type Step, attemptEnded, attemptLost, beginSubtasks, cancelTree, enter, settle } from './ending.ts';
import { reopen } from './retry.ts';
import { type State, linkDependencies } from './state.ts';
import type { Attempt, Task, TaskNumber, TaskSpec } from './task.ts';

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
      if (task.shard !== null && task.parent !== null) state.scope(task.parent).nextShard = 0;
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
  const removed = runs.flatMap((run) => state.remove(run));
  const attempts = removed.flatMap((task) =>
    task.attempts.map(({ allocation }, index) => ({ host: allocation.host, task: task.number, attempt: index + 1 })),
  );
  step.effects.push({ type: 'forget', attempts });
  const used = new Set([...state.tasks.values()].map((task) => task.spec.environment));
  for (const key of state.environments.keys()) {
    if (!used.has(key)) state.environments.delete(key);
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
    revision,
    children: [],
    tally: { done: 0, failed: 0, awaited: 0, active: 0 },
    dependents: [],
  };
}

function unlinked(dependency: ResolvedDependency) {
  return { ...dependency, tally: { left: 0, failed: 0, skipped: 0 } };
}

/** Shard `index` of a task made by `-N`. It shares its parent's spec but for the name. */
function newShard(group: Task, event: Submitted, index: number): Task {
  const name = String(index);
  const spec: TaskSpec = { ...group.spec, name, shards: null, awaited: false, allowFailure: false };
  const shard = { ...event, number: group.number + 1 + index, segment: name, spec, dependencies: [], held: false };
  return {
    ...newTask({ ...shard, parent: group.number, key: null }, group, group.revision),
    shard: index,
  };
}

function claimed(step: Step, event: Claimed): void {
  const { state } = step;
  const task = state.task(event.task);
  const parent = state.task(task.parent ?? 0);
  state.touch(task);
  task.generation = parent.attempts.length;
  if (event.key !== null) {
    task.keys = [...task.keys, event.key];
    state.byKey.set(event.key, task.number);
  }
  state.scope(parent.number).bear(task);
  if (task.spec.awaited !== event.spec.awaited && task.phase.kind !== 'done') {
    parent.tally.awaited += event.spec.awaited ? 1 : -1;
  }
  task.spec = event.spec;
  if (task.phase.kind === 'done' && task.phase.outcome !== 'success') {
    for (const dependency of task.dependencies) unlink(state, task, dependency.upstream ?? []);
    task.dependencies = event.dependencies.map(unlinked);
    linkDependencies(state, task);
    reopen(step, task);
  }
  enter(step, task);
}

function unlink(state: State, task: Task, upstream: readonly number[]): void {
  for (const number of upstream) {
    const found = state.tasks.get(number);
    if (found !== undefined) found.dependents = found.dependents.filter((entry) => entry.task !== task.number);
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
  task.phase = { kind: 'starting' };
  task.tally.failed = 0;
  if (task.attempts.length > 1) state.existingScope(task.number)?.beginGeneration();
  state.occupy(task, attempt);
  step.effects.push({ type: 'start', task: task.number, attempt: task.attempts.length });
  const group = task.parent === null ? null : state.task(task.parent);
  if (group?.phase.kind === 'queued' && group.spec.shards?.gang === true) {
    beginSubtasks(step, group);
  }
}

/** The attempt a report is about, if it is the present one and still under way; else the report is late. */
function presentAttempt(state: State, number: number, attempt: number): { task: Task; attempt: Attempt } | null {
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
  found.task.phase = { kind: 'running' };
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
  if (task.phase.kind === 'queued') {
    const group = task.parent !== null && task.shard !== null ? step.state.task(task.parent) : null;
    task.phase = { kind: 'waiting' };
    if (group === null) return;
    group.tally.active -= 1;
    step.pending.push(group.number);
  }
}

