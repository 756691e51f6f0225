/** Whether a submission can be accepted, and what exactly it becomes. */
import type { Claimed, ResolvedDependency, Submitted, SubmittedTree } from './events.ts';
import { runSuffix } from './ids.ts';
import { namesIn, resolveName } from './names.ts';
import { nearest } from './nearest.ts';
import type { Room } from './room.ts';
import { awaitedNames } from './scope.ts';
import { roomForGang, shapeProblem } from './shapes.ts';
import type { State } from './state.ts';
import type { DependencyKind, Task, TaskNumber, TaskSpec } from './task.ts';

export interface SubmissionRequest {
  spec: TaskSpec;
  /** The segment the name makes (R7). */
  segment: string;
  dependencies: readonly { kind: DependencyKind; name: string }[];
  held: boolean;
  key: string | null;
  parent: TaskNumber | null;
  /** Attempt of the parent that submits; 0 for a run. */
  attempt: number;
  /** The workspace of a run that has one. */
  tree: SubmittedTree | null;
}

export type SubmissionDecision =
  | { kind: 'accepted'; event: Submitted | Claimed; id: string }
  /** The key was used before: nothing new is made (R4). */
  | { kind: 'known'; task: Task }
  | { kind: 'refused'; reason: string };

class Refused extends Error {}

/** Decides on a submission. Changes nothing; `at` is the time to be recorded. */
export function decideSubmission(
  state: State,
  room: Room,
  request: SubmissionRequest,
  at: number,
): SubmissionDecision {
  const known = request.key === null ? undefined : state.byKey.get(request.key);
  if (known !== undefined) return { kind: 'known', task: state.task(known) };
  try {
    checkParent(state, request);
    const earlier = claimable(state, request);
    const segment = earlier?.segment ?? freeSegment(state, request);
    const dependencies = request.dependencies.map((wanted) => resolve(state, request, segment, wanted));
    checkRoom(room, request);
    checkCycle(state, request, segment, dependencies);
    return accept(state, request, earlier, segment, dependencies, at);
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

/** The last part of the id that a new task gets (R7, R9). */
function freeSegment(state: State, { parent, segment }: SubmissionRequest): string {
  const base = parent === null ? `${segment}-${runSuffix(state.nextNumber, state.salt)}` : segment;
  return state.scope(parent ?? 0).freeSegment(base);
}

function accept(
  state: State,
  { spec, parent, held, key, tree }: SubmissionRequest,
  earlier: Task | null,
  segment: string,
  dependencies: ResolvedDependency[],
  at: number,
): SubmissionDecision {
  if (earlier !== null) {
    const event: Claimed = { type: 'claimed', at, task: earlier.number, spec, dependencies, key };
    return { kind: 'accepted', event, id: earlier.id };
  }
  const number = state.nextNumber;
  const id = parent === null ? segment : `${state.task(parent).id}/${segment}`;
  return {
    kind: 'accepted',
    id,
    event: {
      type: 'submitted',
      at,
      number,
      segment,
      parent,
      spec,
      dependencies,
      held,
      key,
      ...(tree && { tree }),
    },
  };
}

function checkParent(state: State, { parent, attempt }: SubmissionRequest): void {
  if (parent === null) return;
  const task = state.tasks.get(parent);
  if (task === undefined) throw new Refused('the task that submits this is not known any more');
  if (task.cancelled) throw new Refused(`${task.id} is cancelled and takes no more sub-tasks`);
  if (task.phase.kind === 'done') throw new Refused(`${task.id} is done and takes no more sub-tasks`);
  if (task.attempts.length !== attempt) {
    throw new Refused(
      `attempt ${attempt} of ${task.id} is over; attempt ${task.attempts.length} submits for it now`,
    );
  }
}

function resolve(
  state: State,
  request: SubmissionRequest,
  segment: string,
  { kind, name }: { kind: DependencyKind; name: string },
): ResolvedDependency {
  const resolution = resolveName(state, request.parent, name);
  if (resolution.kind === 'bound') return { kind, name, upstream: resolution.upstream, awaits: null };
  if (resolution.kind === 'awaited') {
    const own = request.spec.name;
    if (
      resolution.parent === request.parent &&
      awaitedNames(name).some((one) => one === own || one === segment)
    ) {
      throw new Refused(`${own} would wait for itself: ${own} → ${name}`);
    }
    return { kind, name, upstream: null, awaits: { parent: resolution.parent, name: resolution.name } };
  }
  const hint = nearest(name, namesIn(state, request.parent));
  const place = request.parent === null ? 'no run' : `no task in ${state.task(request.parent).id}`;
  const question = hint === null ? '' : `; did you mean "${hint}"?`;
  throw new Refused(`${place} is named "${name}"${question}`);
}

function checkRoom(room: Room, { spec }: SubmissionRequest): void {
  const pool = room.pool(spec.pool);
  if (pool === undefined) throw new Refused(`there is no pool "${spec.pool}"`);
  const shards = spec.shards;
  const problem = shards?.gang
    ? roomForGang(room, pool, spec.shape, shards.total)
    : shapeProblem(room, pool, spec.shape);
  if (problem !== null) throw new Refused(problem);
}

/**
 * The child that an earlier attempt of the parent made at this place, or at a later one, if it runs
 * the same command (R29). Places before one that was taken are passed by, which keeps a large
 * fan-out from being searched from its start each time.
 */
function claimable(state: State, request: SubmissionRequest): Task | null {
  if (request.parent === null || request.attempt < 2) return null;
  const prefix = `${state.task(request.parent).id}/`;
  for (const segment of state.scope(request.parent).earlierSegments(request.segment)) {
    const task = state.tasks.get(state.byId.get(prefix + segment) ?? 0);
    if (task === undefined) break;
    if (task.generation < request.attempt && sameWork(task.spec, request.spec)) return task;
  }
  return null;
}

function sameWork(a: TaskSpec, b: TaskSpec): boolean {
  return (
    a.name === b.name &&
    a.command.length === b.command.length &&
    a.command.every((word, i) => word === b.command[i]) &&
    a.shards?.total === b.shards?.total &&
    a.shards?.gang === b.shards?.gang
  );
}

/**
 * A cycle can only close where somebody already waits for the new task's name: then the new task
 * must not wait, at any distance, for that somebody (R12). Only siblings matter, since what is below
 * one of them waits for nothing outside of it. Those that are done count: a retry makes them wait again.
 */
function checkCycle(
  state: State,
  { parent, spec }: SubmissionRequest,
  segment: string,
  dependencies: readonly ResolvedDependency[],
): void {
  if (parent === null) return;
  const scope = state.scope(parent);
  const waiters = [...scope.waitersFor(spec.name), ...scope.waitersFor(segment)];
  if (waiters.length === 0) return;
  const goals = new Set(waiters.map((waiter) => waiter.task));
  const via = new Map<TaskNumber, TaskNumber | null>();
  const next: TaskNumber[] = [];
  const follow = (from: TaskNumber | null, to: readonly ResolvedDependency[]): void => {
    for (const number of to.flatMap((dependency) => awaitedSiblings(state, dependency, parent))) {
      if (via.has(number)) continue;
      via.set(number, from);
      next.push(number);
    }
  };
  follow(null, dependencies);
  for (let at = 0; at < next.length; at++) {
    const number = next[at] as TaskNumber;
    if (goals.has(number))
      throw new Refused(`this would close a cycle: ${cyclePath(state, spec.name, via, number)}`);
    follow(number, state.task(number).dependencies);
  }
}

/** The children of `parent` that must run or end before this dependency is decided. */
function awaitedSiblings(
  state: State,
  { upstream, awaits }: ResolvedDependency,
  parent: TaskNumber,
): TaskNumber[] {
  if (upstream !== null) return upstream.flatMap((number) => siblingAbove(state, number, parent));
  return awaits === null ? [] : siblingAbove(state, awaits.parent, parent);
}

/** The child of `parent` that `number` is or lies below; none where it is `parent` itself or was removed. */
function siblingAbove(state: State, number: TaskNumber, parent: TaskNumber): TaskNumber[] {
  for (let task = state.tasks.get(number); task !== undefined; task = state.tasks.get(task.parent ?? 0)) {
    if (task.parent === parent) return [task.number];
  }
  return [];
}

function cyclePath(
  state: State,
  name: string,
  via: ReadonlyMap<TaskNumber, TaskNumber | null>,
  last: TaskNumber,
): string {
  const names = [name];
  for (let at: TaskNumber | null = last; at !== null; at = via.get(at) ?? null) {
    names.splice(1, 0, state.task(at).spec.name);
  }
  return [...names, name].join(' → ');
}
