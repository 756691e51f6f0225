/** Why a task is where it is, in sentences for a person (R19). */
import { verdictOf } from './dependencies.ts';
import { emptyHolding, holdersOf } from './holdings.ts';
import { isAwaited } from './outcome.ts';
import { comesBefore } from './queue.ts';
import { gpusFor, type Room, type RoomHost, type RoomPool } from './room.ts';
import { shapeOf } from './shapes.ts';
import { isGangShard, type State } from './state.ts';
import type { Attempt, Dependency, Shape, Task, TaskNumber } from './task.ts';

/** The one sentence shown beside the status; null where the status says it all. */
export function reasonOf(state: State, room: Room, task: Task): string | null {
  switch (task.phase.kind) {
    case 'waiting':
      return waitingReason(state, task);
    case 'queued':
      return queuedReason(state, room, task);
    case 'starting':
    case 'running':
      return runningReason(state, room, task);
    case 'subtasks':
      return subtasksReason(state, task);
    case 'done':
      return task.phase.reason ?? task.report?.notes[0] ?? null;
  }
}

/** All that can be said, most important first: the reason, then what surrounds it. */
export function explain(state: State, room: Room, task: Task): string[] {
  const sentences = [reasonOf(state, room, task) ?? plainState(task)];
  if (task.phase.kind === 'waiting') {
    for (const dependency of task.dependencies) sentences.push(dependencySentence(state, dependency));
  }
  if (task.phase.kind === 'queued') {
    const pool = room.pool(task.spec.pool);
    const obstacle = pool === undefined ? null : roomObstacle(state, room, pool, task);
    if (obstacle !== null && !sentences.includes(obstacle)) sentences.push(obstacle);
    const ahead = tasksAhead(state, task);
    if (ahead > 0)
      sentences.push(
        `${ahead} ${ahead === 1 ? 'task is' : 'tasks are'} ahead of it in pool ${poolName(room, task)}`,
      );
  }
  for (const note of task.report?.notes ?? []) {
    if (!sentences.includes(note)) sentences.push(note);
  }
  const lost = task.attempts.filter((attempt) => attempt.state === 'lost').length;
  if (lost > 0) sentences.push(`${lost} of its attempts were lost with their host`);
  if (task.failures > 0) sentences.push(`${task.failures} of ${task.spec.retries} retries are used`);
  return sentences;
}

function plainState(task: Task): string {
  if (task.phase.kind === 'done')
    return task.phase.outcome === 'success' ? 'it succeeded' : 'its command failed';
  return 'its command runs';
}

function waitingReason(state: State, task: Task): string {
  const unmet = task.dependencies.filter((dependency) => {
    const verdict = verdictOf(state, dependency);
    return verdict === 'waiting' || verdict === 'unknown';
  });
  const first = unmet[0];
  if (first !== undefined) {
    const more = unmet.length > 1 ? ` and ${unmet.length - 1} more` : '';
    return `waits for ${awaitedText(state, first)}${more}`;
  }
  if (task.held) return `is held: \`vctl task release ${task.id}\` lets it go`;
  const group = task.parent === null ? null : state.task(task.parent);
  if (task.shard === null || group === null) return 'waits';
  if (isGangShard(state, task) && group.phase.kind === 'subtasks')
    return `waits until nothing of ${group.spec.name} is under way, to start again with it`;
  const limit = group.spec.shards?.limit ?? null;
  if (group.phase.kind === 'subtasks' && limit !== null)
    return `waits for one of the ${limit} shards that may run at once`;
  return `waits with ${group.spec.name}`;
}

function awaitedText(state: State, dependency: Dependency): string {
  if (dependency.upstream === null)
    return `a task named "${dependency.name}", which nobody has submitted yet`;
  const { left } = dependency.tally;
  const ending = { success: 'to succeed', fail: 'to end, in case it fails', any: 'to end' }[dependency.kind];
  if (dependency.upstream.length > 1)
    return `${left} of ${dependency.upstream.length} tasks named "${dependency.name}" ${ending}`;
  const upstream = state.tasks.get(dependency.upstream[0] ?? 0);
  return `${upstream?.spec.name ?? dependency.name} ${ending}`;
}

function dependencySentence(state: State, dependency: Dependency): string {
  const verdict = verdictOf(state, dependency);
  const flag = { success: '--after-success', fail: '--after-fail', any: '--after' }[dependency.kind];
  if (verdict === 'waiting' || verdict === 'unknown')
    return `${flag} ${dependency.name}: waits for ${awaitedText(state, dependency)}`;
  return `${flag} ${dependency.name}: ${verdict}`;
}

function queuedReason(state: State, room: Room, task: Task): string {
  const pool = room.pool(task.spec.pool);
  if (pool === undefined) return `waits: the configuration has no pool "${poolName(room, task)}" any more`;
  if (isGangShard(state, task) && task.parent !== null) {
    const { spec, children } = state.task(task.parent);
    return `waits with ${spec.name} for room for all ${children.length} of its gang at once`;
  }
  const isGang = task.spec.shards?.gang === true;
  const turn = isGang
    ? `waits for room for all ${task.children.length} of its gang at once in pool ${pool.name}`
    : `waits for its turn in pool ${pool.name}`;
  // Of those behind it more might be said, but it would change with every task that starts or ends.
  if (!state.isFirstInLine(task)) return turn;
  return roomObstacle(state, room, pool, task) ?? turn;
}

/** What keeps a task from starting that comes first; null where nothing but those that come before it. */
function roomObstacle(state: State, room: Room, pool: RoomPool, task: Task): string | null {
  const occupants = state.occupants.get(pool.key);
  if (pool.slots !== null && occupants !== undefined && occupants.size >= pool.slots) {
    const taken = `${occupants.size} of ${pool.slots} slots are taken`;
    return `waits: pool ${pool.name} is full, ${taken} (by ${someNames(state, occupants)})`;
  }
  const shape = shapeOf(pool, task.spec.shape);
  const obstacles: string[] = [];
  for (const name of pool.hosts) {
    const obstacle = hostObstacle(state, pool, room.host(name), name, shape);
    if (obstacle === null) return null;
    obstacles.push(obstacle);
  }
  return obstacles.length === 0 ? null : `waits: ${obstacles.slice(0, 3).join('; ')}`;
}

function hostObstacle(
  state: State,
  pool: RoomPool,
  host: RoomHost | undefined,
  name: string,
  shape: Shape,
): string | null {
  if (host === undefined) return `host ${name} cannot be used yet`;
  if (!host.online)
    return `host ${name} is not reachable${host.trouble === null ? '' : ` (${host.trouble})`}`;
  const { capacity } = host;
  if (capacity === null) return `host ${name} is being looked at for the first time`;
  const holding = state.holdings.get(name) ?? emptyHolding();
  const missing: string[] = [];
  const cpus = Math.round((capacity.cpus - holding.cpus) * 1_000) / 1_000;
  if (shape.cpus > 0 && shape.cpus > cpus) {
    missing.push(`${Math.max(0, cpus)} of ${capacity.cpus} CPUs are free and it needs ${shape.cpus}`);
  }
  const memory = capacity.memory - holding.memory;
  if (shape.memory > 0 && shape.memory > memory) {
    missing.push(
      `${gib(Math.max(0, memory))} of ${gib(capacity.memory)} of memory are free and it needs ${gib(shape.memory)}`,
    );
  }
  const gpus = gpusFor(pool, host);
  const unheld = gpus.filter((index) => (holding.gpus.get(index)?.length ?? 0) < host.slotsPerGpu);
  const avoided = shape.gpus === 0 ? [] : unheld.filter((index) => host.avoid.has(index));
  const free = unheld.length - avoided.length;
  const others = avoided.slice(0, 3).map((index) => `GPU ${index} on ${name} ${host.avoid.get(index)}`);
  if (missing.length === 0 && shape.gpus > free && shape.gpus <= unheld.length) return others.join('; ');
  if (shape.gpus > free) missing.push(`${free} of ${gpus.length} GPUs are free and it needs ${shape.gpus}`);
  if (missing.length === 0) return null;
  const holders = someNames(state, holdersOf(holding));
  const held = `on ${name} ${missing.join(', ')}${holders === '' ? '' : ` (held by ${holders})`}`;
  return shape.gpus > free ? [held, ...others].join('; ') : held;
}

function gib(bytes: number): string {
  return `${Math.round((bytes / 1024 ** 3) * 10) / 10} GiB`;
}

/** The first few names: there may be thousands, and this is said of thousands. */
function someNames(state: State, numbers: Iterable<TaskNumber>): string {
  const names: string[] = [];
  for (const number of numbers) {
    if (names.length === 3) return `${names.join(', ')} and others`;
    names.push(state.task(number).spec.name);
  }
  return names.join(', ');
}

function runningReason(state: State, room: Room, task: Task): string | null {
  const attempt = task.attempts.at(-1);
  if (attempt === undefined) return null;
  const host = room.host(attempt.allocation.host);
  if (host === undefined)
    return `host ${attempt.allocation.host}, where it was started, is not configured any more`;
  if (!host.online) {
    const trouble = host.trouble === null ? '' : ` (${host.trouble})`;
    const meanwhile =
      task.phase.kind === 'running'
        ? 'its command goes on there'
        : 'whether it started there is not known yet';
    return `host ${host.name} is not reachable${trouble}; ${meanwhile}`;
  }
  const moving = room.moving(task.number);
  if (moving !== null) return moving;
  if (attempt.stopping !== null) return stoppingText[attempt.stopping];
  if (task.tally.awaited === 0) return null;
  // Most likely it is the last one: a script that calls vrun submits nothing more meanwhile.
  const awaited = task.children.findLast((number) => {
    const child = state.task(number);
    return child.phase.kind !== 'done' && isAwaited(child, task);
  });
  return awaited === undefined ? null : `is blocked in vrun until ${state.task(awaited).spec.name} is done`;
}

const stoppingText: Record<NonNullable<Attempt['stopping']>, string> = {
  cancelled: 'is being cancelled',
  'time limit': 'is being stopped at its time limit',
  gang: 'is being stopped, to start again with its gang',
};

function subtasksReason(state: State, task: Task): string {
  const total = task.children.length;
  const left = total - task.tally.done;
  // To look for a few among very many would take long, and this is said whenever one of them ends.
  const few = total <= 1_000 || left <= 3;
  const names = few ? someNames(state, unfinished(state, task)) : '';
  return `waits for ${left} of ${total} ${total === 1 ? 'sub-task' : 'sub-tasks'}${names === '' ? '' : ` (${names})`}`;
}

function* unfinished(state: State, task: Task): Generator<TaskNumber> {
  for (const number of task.children) if (state.live.has(number)) yield number;
}

/** How many tasks of the same pool go first. */
function tasksAhead(state: State, task: Task): number {
  let ahead = 0;
  for (const line of state.queues.get(task.spec.pool)?.values() ?? []) {
    for (const other of line) {
      if (!comesBefore(other, task)) break;
      ahead += 1;
    }
  }
  return ahead;
}

function poolName(room: Room, task: Task): string {
  const pool: RoomPool | undefined = room.pool(task.spec.pool);
  return pool?.name ?? task.spec.pool.replace(/@.*$/s, '');
}
