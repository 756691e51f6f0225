/** What a task's dependencies make of their upstreams' ends (R15), and names that get bound (R11). */

import { resolveName } from './names.ts';
import { isFailure } from './outcome.ts';
import { awaitedNames } from './scope.ts';
import { addDependent, recount, type State } from './state.ts';
import type { Dependency, Task, TaskNumber } from './task.ts';

export type Verdict = 'waiting' | 'met' | 'failed' | 'skipped' | 'unknown';

/** What one dependency says by now. `unknown`: nobody bears its name, and somebody still may. */
export function verdictOf(state: State, dependency: Dependency): Verdict {
  if (dependency.upstream === null) return isClosed(state, dependency) ? 'failed' : 'unknown';
  // All that it waited for has been pruned: there is nothing left to wait for.
  if (dependency.upstream.length === 0) return 'met';
  const { left, failed, skipped } = dependency.tally;
  if (dependency.kind === 'success' && failed > 0) return 'failed';
  if (left > 0) return 'waiting';
  if (dependency.kind === 'any') return 'met';
  if (failed > 0) return 'met';
  const allSkipped = skipped === dependency.upstream.length;
  return allSkipped || dependency.kind === 'fail' ? 'skipped' : 'met';
}

/** Whether no task can take the awaited name any more: the command that would submit it has ended. */
function isClosed(state: State, dependency: Dependency): boolean {
  const parent = dependency.awaits === null ? undefined : state.tasks.get(dependency.awaits.parent);
  if (parent === undefined || parent.spec.shards !== null) return true;
  return parent.own !== null || parent.phase.kind === 'done';
}

export type Decision =
  | { kind: 'wait' }
  | { kind: 'ready' }
  | { kind: 'failedUpstream'; reason: string }
  | { kind: 'skipped'; reason: string };

/** What all dependencies of a task say together. Failure decides at once, skipping when all is known. */
export function decideDependencies(state: State, task: Task): Decision {
  let waits = false;
  let skipping: Dependency | null = null;
  for (const dependency of task.dependencies) {
    const verdict = verdictOf(state, dependency);
    if (verdict === 'failed')
      return { kind: 'failedUpstream', reason: failureReason(state, task, dependency) };
    if (verdict === 'waiting' || verdict === 'unknown') waits = true;
    if (verdict === 'skipped') skipping ??= dependency;
  }
  if (waits) return { kind: 'wait' };
  if (skipping !== null) return { kind: 'skipped', reason: skipReason(skipping) };
  return { kind: 'ready' };
}

function failureReason(state: State, task: Task, dependency: Dependency): string {
  if (dependency.upstream === null) return unboundReason(state, task, dependency);
  for (const number of dependency.upstream) {
    const upstream = state.tasks.get(number);
    if (upstream?.phase.kind !== 'done' || !isFailure(upstream.phase.outcome)) continue;
    const word = upstream.phase.outcome === 'cancelled' ? 'was cancelled' : 'failed';
    return `${upstream.spec.name} ${word}`;
  }
  return `${dependency.name} failed`;
}

function unboundReason(state: State, task: Task, dependency: Dependency): string {
  const place = state.tasks.get(dependency.awaits?.parent ?? 0);
  if (place === undefined) return `no task "${dependency.name}"`;
  const hint = state.scope(place.number).nameLike(dependency.awaits?.name ?? dependency.name, task.spec.name);
  const question = hint === null ? '' : `; did you mean "${hint}"?`;
  const where = place.number === task.run ? 'this run' : `"${place.spec.name}"`;
  return `no task "${dependency.name}" in ${where}${question}`;
}

function skipReason(dependency: Dependency): string {
  const { left, failed, skipped } = dependency.tally;
  const allSkipped = left === 0 && failed === 0 && skipped === dependency.upstream?.length;
  return allSkipped ? `${dependency.name} was skipped` : `${dependency.name} did not fail`;
}

/** Gives a new or claimed child's name to the siblings that wait for it. Returns those tasks. */
export function bindWaiters(state: State, task: Task): TaskNumber[] {
  if (task.parent === null) return [];
  const scope = state.scope(task.parent);
  const names = new Set([task.spec.name, task.segment]);
  const bound: TaskNumber[] = [];
  for (const name of names) {
    for (const waiter of scope.takeWaiters(name)) {
      const dependent = state.tasks.get(waiter.task);
      const dependency = dependent?.dependencies[waiter.dependency];
      // It may be pruned, bound under its other name, or submitted again with other dependencies.
      if (dependent === undefined || dependency?.awaits?.parent !== task.parent) continue;
      if (!awaitedNames(dependency.awaits.name).includes(name)) continue;
      state.touch(dependent);
      bind(state, dependent, waiter.dependency, dependency, task, names);
      bound.push(dependent.number);
    }
  }
  return bound.sort((a, b) => a - b);
}

function bind(
  state: State,
  dependent: Task,
  index: number,
  dependency: Dependency,
  task: Task,
  names: Set<string>,
): void {
  const awaited = dependency.awaits?.name ?? dependency.name;
  if (names.has(awaited)) {
    setUpstream(state, dependent, index, dependency, [task.number]);
    return;
  }
  const rest = awaited.slice(awaited.indexOf('/') + 1);
  const inner = resolveName(state, task.number, rest);
  if (inner.kind === 'bound') setUpstream(state, dependent, index, dependency, inner.upstream);
  else {
    dependency.awaits = { parent: task.number, name: rest };
    state.scope(task.number).await(rest, dependent.number, index);
  }
}

function setUpstream(
  state: State,
  dependent: Task,
  index: number,
  dependency: Dependency,
  upstream: TaskNumber[],
): void {
  dependency.upstream = upstream;
  dependency.awaits = null;
  for (const number of upstream) addDependent(state.task(number), dependent.number, index);
  recount(state, dependency);
}
