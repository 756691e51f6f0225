/**
 * All that is known about tasks, with the indexes that make every step cheap. Changed in place, and
 * only by `apply` (apply.ts). What is stored of a task is `record(task)`; the indexes are rebuilt by
 * `restore`.
 */

import { addHolding, type Holding, removeHolding } from './holdings.ts';
import { countsAsFailed, isAwaited, isFailure } from './outcome.ts';
import { TaskQueue } from './queue.ts';
import { Scope } from './scope.ts';
import type { Attempt, Dependency, EnvironmentChange, Phase, Task, TaskNumber } from './task.ts';

/** What a snapshot keeps of a task: everything but the indexes. */
export type TaskRecord = Omit<Task, 'children' | 'tally' | 'dependents' | 'dependencies'> & {
  dependencies: Omit<Dependency, 'tally'>[];
};

export class State {
  /** Sequence of the last applied event. */
  sequence = 0;
  nextNumber: TaskNumber = 1;
  /** Sequence of the last event that removed tasks; 0 before the first. */
  lastRemoval = 0;
  readonly tasks = new Map<TaskNumber, Task>();
  readonly byId = new Map<string, TaskNumber>();
  readonly byKey = new Map<string, TaskNumber>();
  readonly environments = new Map<string, EnvironmentChange>();
  /** Numbers of the runs, oldest first. */
  readonly runs = new Set<TaskNumber>();
  /** Tasks that are not done. */
  readonly live = new Set<TaskNumber>();
  /** What runs on each host. */
  readonly holdings = new Map<string, Holding>();
  /** Tasks that wait for room, by pool key, then by line. */
  readonly queues = new Map<string, Map<string, TaskQueue>>();
  /** Attempts under way by pool key. */
  readonly occupants = new Map<string, Set<TaskNumber>>();
  private readonly scopes = new Map<TaskNumber, Scope>();

  /**
   * Called before a task changes, once for each step that changes it: whoever takes snapshots keeps
   * the old form, whoever publishes learns what to publish.
   */
  beforeChange: (task: Task) => void = () => {};

  constructor(
    /** Any non-negative integer: makes the run suffixes of this state folder its own. */
    readonly salt: number,
  ) {}

  /** The task of this number, which must exist: numbers come from the state itself. */
  task(number: TaskNumber): Task {
    const task = this.tasks.get(number);
    if (task === undefined) throw new Error(`task number ${number} does not exist`);
    return task;
  }

  /** Marks a task as changed by the event that is being applied. Must come before the change. */
  touch(task: Task): void {
    this.beforeChange(task);
    task.revision = this.sequence;
  }

  /** The one way in which a task's phase changes: keeps count of the shards that are let go. */
  enterPhase(task: Task, phase: Phase): void {
    if (task.shard !== null && task.parent !== null) {
      this.task(task.parent).tally.active += Number(isLetGo(phase)) - Number(isLetGo(task.phase));
    }
    task.phase = phase;
  }

  /** The names among a task's children. */
  scope(parent: TaskNumber): Scope {
    let scope = this.scopes.get(parent);
    if (scope === undefined) this.scopes.set(parent, (scope = new Scope()));
    return scope;
  }

  existingScope(parent: TaskNumber): Scope | undefined {
    return this.scopes.get(parent);
  }

  /**
   * Lets a queued task wait for room. Siblings of one shape wait in one line: they can borrow the same
   * room (R23), and where one of them finds none, neither does the next.
   */
  queue(task: Task): void {
    let lines = this.queues.get(task.spec.pool);
    if (lines === undefined) this.queues.set(task.spec.pool, (lines = new Map()));
    const name = lineOf(task);
    let line = lines.get(name);
    if (line === undefined) lines.set(name, (line = new TaskQueue()));
    line.add(task);
  }

  /** Whether a queued task is the first of its line; those behind it wait for it, and for nothing else. */
  isFirstInLine(task: Task): boolean {
    return this.queues.get(task.spec.pool)?.get(lineOf(task))?.first() === task;
  }

  occupy(task: Task, attempt: Attempt): void {
    addHolding(this.holdings, task.number, attempt.allocation);
    let occupants = this.occupants.get(task.spec.pool);
    if (occupants === undefined) this.occupants.set(task.spec.pool, (occupants = new Set()));
    occupants.add(task.number);
  }

  vacate(task: Task, attempt: Attempt): void {
    removeHolding(this.holdings, task.number, attempt.allocation);
    this.occupants.get(task.spec.pool)?.delete(task.number);
  }

  /** Enters a new task into every index but those of its dependencies. */
  insert(task: Task): void {
    this.tasks.set(task.number, task);
    this.byId.set(task.id, task.number);
    for (const key of task.keys) this.byKey.set(key, task.number);
    if (task.phase.kind !== 'done') this.live.add(task.number);
    this.nextNumber = Math.max(this.nextNumber, task.number + 1);
    if (task.parent === null) this.runs.add(task.number);
    else this.task(task.parent).children.push(task.number);
    this.scope(task.parent ?? 0).takeSegment(task.segment);
  }

  /** Forgets done runs and everything below them. Returns what that was, parents before children. */
  remove(runs: readonly TaskNumber[]): Task[] {
    this.scope(0).forget(runs.map((run) => this.task(run)));
    const removed = runs.flatMap((run) => subtree(this, this.task(run)));
    for (const task of removed) {
      this.beforeChange(task);
      this.tasks.delete(task.number);
      this.byId.delete(task.id);
      for (const key of task.keys) this.byKey.delete(key);
      this.scopes.delete(task.number);
      this.runs.delete(task.number);
    }
    this.lastRemoval = this.sequence;
    return removed;
  }
}

/** Names the line of its pool in which a task waits. */
function lineOf({ parent, spec }: Task): string {
  const { cpus, memory, gpus } = spec.shape;
  return [parent, cpus, memory, gpus].join(' ');
}

function isLetGo({ kind }: Phase): boolean {
  return kind !== 'waiting' && kind !== 'done';
}

export function record(task: Task): TaskRecord {
  const { children: _c, tally: _t, dependents: _d, dependencies, ...rest } = task;
  return { ...rest, dependencies: dependencies.map(({ tally: _tally, ...dependency }) => dependency) };
}

/** Puts the records of a snapshot, in order of their numbers, into an empty state. */
export function restore(state: State, records: Iterable<TaskRecord>): void {
  for (const stored of records) restoreTask(state, stored);
  restoreIndexes(state);
}

/**
 * Puts one record of a snapshot into a state; `restoreIndexes` must follow the last of them. Every field
 * is written out, in the order of a new task, so that all tasks have one shape: V8 gives each object
 * that is made by spreading another and adding to it a shape of its own, here of 650 bytes.
 */
export function restoreTask(state: State, stored: TaskRecord): void {
  state.insert({
    number: stored.number,
    id: stored.id,
    segment: stored.segment,
    parent: stored.parent,
    run: stored.run,
    shard: stored.shard,
    spec: stored.spec,
    dependencies: stored.dependencies.map(({ kind, name, upstream, awaits }) => ({
      kind,
      name,
      upstream,
      awaits,
      tally: { left: 0, failed: 0, skipped: 0 },
    })),
    phase: stored.phase,
    held: stored.held,
    cancelled: stored.cancelled,
    attempts: stored.attempts,
    failures: stored.failures,
    losses: stored.losses,
    own: stored.own,
    generation: stored.generation,
    keys: stored.keys,
    createdAt: stored.createdAt,
    // Absent in states of servers that knew no workspaces.
    needs: stored.needs ?? 0,
    tree: stored.tree ?? null,
    report: stored.report ?? null,
    revision: stored.revision,
    children: [],
    tally: { done: 0, failed: 0, awaited: 0, active: 0 },
    dependents: [],
  });
}

/** Makes the indexes that need all tasks to be there. */
export function restoreIndexes(state: State): void {
  for (const task of state.tasks.values()) {
    reindexFamily(state, task);
    linkDependencies(state, task);
    const attempt = task.attempts.at(-1);
    if (task.phase.kind === 'starting' || task.phase.kind === 'running') {
      if (attempt !== undefined) state.occupy(task, attempt);
    }
  }
  for (const number of state.live) {
    const task = state.task(number);
    if (task.phase.kind === 'queued' && !isGangShard(state, task)) state.queue(task);
  }
}

/** A task and everything below it, parents before children. */
export function subtree(state: State, root: Task): Task[] {
  const found = [root];
  for (let at = 0; at < found.length; at++) {
    for (const number of (found[at] as Task).children) found.push(state.task(number));
  }
  return found;
}

/** The gang that a task is a shard of, or null. */
export function gangOf(state: State, task: Task): Task | null {
  if (task.shard === null || task.parent === null) return null;
  const group = state.task(task.parent);
  return group.spec.shards?.gang === true ? group : null;
}

/** Whether this task starts only together with its siblings (R21): a shard of a gang that has not started. */
export function isGangShard(state: State, task: Task): boolean {
  const kind = gangOf(state, task)?.phase.kind;
  return kind === 'waiting' || kind === 'queued' || (kind === 'subtasks' && task.phase.kind === 'waiting');
}

function reindexFamily(state: State, task: Task): void {
  if (task.parent === null) {
    state.scope(0).bear(task);
    return;
  }
  const parent = state.task(task.parent);
  if (task.generation === parent.attempts.length) state.scope(parent.number).bear(task);
  if (task.phase.kind === 'done') {
    parent.tally.done += 1;
    if (countsAsFailed(task, parent.attempts.length)) parent.tally.failed += 1;
  } else {
    if (isAwaited(task, parent)) parent.tally.awaited += 1;
    if (task.shard !== null && isLetGo(task.phase)) parent.tally.active += 1;
  }
}

/** Counts a task's dependencies afresh and enters them at their upstreams, or where they are awaited. */
export function linkDependencies(state: State, task: Task): void {
  task.dependencies.forEach((dependency, index) => {
    if (dependency.upstream === null) {
      if (dependency.awaits !== null)
        state.scope(dependency.awaits.parent).await(dependency.awaits.name, task.number, index);
      return;
    }
    for (const number of dependency.upstream) {
      addDependent(state.task(number), task.number, index);
    }
    recount(state, dependency);
  });
}

/** Enters a dependency at its upstream. They stay in the order of their tasks: all that follows from them does. */
export function addDependent({ dependents }: Task, task: TaskNumber, dependency: number): void {
  let at = dependents.length;
  while (at > 0 && (dependents[at - 1]?.task ?? 0) > task) at -= 1;
  dependents.splice(at, 0, { task, dependency });
}

/** Takes a task's dependencies out of where `linkDependencies` has entered them. */
export function unlinkDependencies(state: State, task: Task): void {
  for (const { upstream, awaits } of task.dependencies) {
    if (awaits !== null) state.existingScope(awaits.parent)?.endWait(awaits.name, task.number);
    for (const number of upstream ?? []) {
      const found = state.task(number);
      found.dependents = found.dependents.filter((entry) => entry.task !== task.number);
    }
  }
}

/** Brings a bound dependency's tally in line with its upstreams. */
export function recount(state: State, dependency: Dependency): void {
  const tally = { left: 0, failed: 0, skipped: 0 };
  for (const number of dependency.upstream ?? []) {
    const { phase } = state.task(number);
    if (phase.kind !== 'done') tally.left += 1;
    else if (isFailure(phase.outcome)) tally.failed += 1;
    else if (phase.outcome === 'skipped') tally.skipped += 1;
  }
  dependency.tally = tally;
}
