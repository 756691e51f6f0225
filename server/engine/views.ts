/** Tasks as clients see them. */
import { verdictOf } from '../model/dependencies.ts';
import { reasonOf } from '../model/explain.ts';
import { commandFailed, statusOf } from '../model/outcome.ts';
import type { Room } from '../model/room.ts';
import type { State } from '../model/state.ts';
import type { Attempt, Dependency, Exit, Task } from '../model/task.ts';
import { treeOf } from '../model/tree.ts';
import type { TaskDetail, TaskView } from '../protocol/tasks.ts';

export function taskView(state: State, room: Room, task: Task): TaskView {
  const attempt = task.attempts.at(-1);
  const exit = task.own ?? attempt?.exit ?? null;
  return {
    id: task.id,
    name: task.spec.name,
    parent: task.parent === null ? null : state.task(task.parent).id,
    run: state.task(task.run).id,
    status: statusOf(task),
    exitCode: attempt === undefined ? null : (exit?.exitCode ?? null),
    signal: exit?.signal ?? null,
    reason: reasonOf(state, room, task) ?? failureText(task),
    pool: poolName(task.spec.pool),
    host: attempt?.allocation.host ?? null,
    attempt: task.attempts.length,
    held: task.held,
    command: task.spec.command,
    cwd: task.spec.directory,
    workspace: treeOf(state, task)?.folder ?? null,
    labels: task.spec.labels,
    priority: task.spec.priority,
    dependencies: task.dependencies.map((dependency) => ({
      name: dependency.name,
      kind: dependency.kind,
      state: verdictOf(state, dependency),
      ...upstreamsOf(state, dependency),
    })),
    children: { total: task.children.length, done: task.tally.done, failed: task.tally.failed },
    createdAt: iso(task.createdAt),
    startedAt: isoOrNull(attempt?.startedAt ?? null),
    finishedAt: isoOrNull(task.own === null ? null : (attempt?.endedAt ?? null)),
    resolvedAt: task.phase.kind === 'done' ? iso(task.phase.at) : null,
    revision: task.revision,
  };
}

/** A fan-in of thousands is told with each of the tasks that wait for it, so only its beginning is. */
const mostUpstreams = 20;

function upstreamsOf(state: State, { upstream }: Dependency): { tasks: string[]; count: number } {
  const first = upstream?.slice(0, mostUpstreams) ?? [];
  // A run may have been pruned that another one has waited for.
  return {
    tasks: first.flatMap((number) => state.tasks.get(number)?.id ?? []),
    count: upstream?.length ?? 0,
  };
}

export function taskDetail(state: State, room: Room, task: Task): TaskDetail {
  return {
    ...taskView(state, room, task),
    attempts: task.attempts.map(attemptView),
    allowFailure: task.spec.allowFailure,
    timeLimit: task.spec.timeLimit,
    retries: task.spec.retries,
    terminal: task.spec.terminal !== undefined,
    shards: task.spec.shards,
  };
}

function attemptView(attempt: Attempt, index: number): TaskDetail['attempts'][number] {
  return {
    number: index + 1,
    host: attempt.allocation.host,
    state: attempt.state,
    gpus: attempt.allocation.gpus,
    exitCode: attempt.exit?.exitCode ?? null,
    signal: attempt.exit?.signal ?? null,
    reason: attempt.exit?.reason ?? null,
    placedAt: iso(attempt.placedAt),
    startedAt: isoOrNull(attempt.startedAt),
    endedAt: isoOrNull(attempt.endedAt),
  };
}

/** A pool's key is its name, followed by `@` and the workspace that defines it, if one does. */
export function poolName(key: string): string {
  return key.replace(/@.*$/s, '');
}

function failureText(task: Task): string | null {
  if (task.phase.kind !== 'done' || task.own === null || !commandFailed(task.own)) return null;
  return exitText(task.own);
}

function exitText(exit: Exit): string {
  return exit.signal === null ? `exited with ${exit.exitCode}` : `killed by SIG${exit.signal}`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time);
}
