/**
 * Which waiting tasks start now, and where (R21–R25). The order is priority, then submission; a task
 * that finds no room reserves it on one host, so that later ones only take what it does not need
 * and nothing waits for ever.
 */
import type { Placement } from './events.ts';
import { type Holding, emptyHolding } from './holdings.ts';
import type { Room, RoomHost, RoomPool } from './room.ts';
import type { State } from './state.ts';
import type { Allocation, Shape, Task, TaskNumber } from './task.ts';

/** The shape a task takes: its pool's, with what its own flags put in place of it. */
export function shapeOf(pool: RoomPool, override: Partial<Shape>): Shape {
  return { ...pool.shape, ...override };
}

/** Tasks to start now. The caller turns the answer into one `placed` event and applies it at once. */
export function place(state: State, room: Room): Placement[] {
  const pass = new Pass(state, room);
  for (let next = pass.next(); next !== null; next = pass.next()) pass.consider(next);
  return pass.placements;
}

/** Whether an ancestor of `task` is blocked in vrun, and so lends what it holds (R23). */
export function lenders(state: State, task: Task): TaskNumber[] {
  const found: TaskNumber[] = [];
  for (let up = task.parent; up !== null; up = state.task(up).parent) {
    const ancestor = state.task(up);
    if (ancestor.phase.kind === 'running' && ancestor.tally.awaited > 0) found.push(up);
  }
  return found;
}

interface Line {
  pool: RoomPool;
  tasks: Iterator<TaskNumber>;
  head: Task | null;
}

/** One look over all that waits. Placements are provisional until the caller has applied them. */
class Pass {
  readonly placements: Placement[] = [];
  private readonly lines: Line[] = [];
  /** What this pass has given away and what it keeps free for tasks that found no room, by host. */
  private readonly given = new Map<string, Holding>();
  private readonly reserved = new Map<string, Shape>();
  private readonly startedByPool = new Map<string, number>();

  constructor(
    private readonly state: State,
    private readonly room: Room,
  ) {
    for (const [key, families] of state.queues) {
      const pool = room.pool(key);
      for (const [family, queue] of families) {
        if (queue.isEmpty()) families.delete(family);
        else if (pool !== undefined) this.addLine(pool, queue[Symbol.iterator]());
      }
    }
  }

  private addLine(pool: RoomPool, tasks: Iterator<TaskNumber>): void {
    const line: Line = { pool, tasks, head: null };
    this.advance(line);
    if (line.head !== null) this.lines.push(line);
  }

  private advance(line: Line): void {
    const next = line.tasks.next();
    line.head = next.done === true ? null : this.state.task(next.value);
  }

  /** The line whose head comes first, or null when every line is empty or stuck. */
  next(): Line | null {
    let first: Line | null = null;
    for (const line of this.lines) {
      if (line.head === null) continue;
      if (first === null || comesBefore(line.head, first.head as Task)) first = line;
    }
    return first;
  }

  /** Places the head of a line, or stops the line: those behind it may not overtake it (R25). */
  consider(line: Line): void {
    const task = line.head as Task;
    const gang = task.spec.shards?.gang === true;
    if (gang ? this.placeGang(line.pool, task) : this.placeOne(line.pool, task)) this.advance(line);
    else line.head = null;
  }

  private placeOne(pool: RoomPool, task: Task): boolean {
    const borrowsFrom = lenders(this.state, task);
    if (!this.slotFree(pool, borrowsFrom)) return false;
    const shape = shapeOf(pool, task.spec.shape);
    const host = this.bestHost(pool, shape, borrowsFrom);
    if (host === null) {
      this.reserve(pool, shape, 1);
      return false;
    }
    this.give(pool, task, host, shape, borrowsFrom);
    return true;
  }

  private placeGang(pool: RoomPool, group: Task): boolean {
    const shards = group.children.map((number) => this.state.task(number)).filter((shard) => shard.phase.kind !== 'done');
    if (shards.some((shard) => shard.phase.kind !== 'queued')) return false;
    const borrowsFrom = lenders(this.state, group);
    const shape = shapeOf(pool, group.spec.shape);
    const undo = this.placements.length;
    for (const shard of shards) {
      const host = this.slotFree(pool, borrowsFrom) ? this.bestHost(pool, shape, borrowsFrom) : null;
      if (host === null) {
        this.takeBack(pool, undo);
        this.reserve(pool, shape, shards.length);
        return false;
      }
      this.give(pool, shard, host, shape, borrowsFrom);
    }
    return true;
  }

  private slotFree(pool: RoomPool, borrowsFrom: readonly TaskNumber[]): boolean {
    if (pool.slots === null) return true;
    const occupants = this.state.occupants.get(pool.key) ?? new Set();
    const started = this.startedByPool.get(pool.key) ?? 0;
    const lent = borrowsFrom.filter((number) => occupants.has(number)).length;
    if (occupants.size + started - lent < pool.slots) return true;
    return borrowsFrom.length > 0 && started === 0 && [...occupants].every((number) => this.isBlocked(number));
  }

  private isBlocked(number: TaskNumber): boolean {
    return this.state.task(number).tally.awaited > 0;
  }

  /** The host with the largest share left over after `shape`; the pool's order decides between equals. */
  private bestHost(pool: RoomPool, shape: Shape, borrowsFrom: readonly TaskNumber[]): RoomHost | null {
    let best: RoomHost | null = null;
    let mostLeft = -1;
    for (const name of pool.hosts) {
      const host = this.room.host(name);
      if (host === undefined || !host.online || host.capacity === null) continue;
      const left = this.leftOver(host, host.capacity, shape, borrowsFrom);
      if (left !== null && left > mostLeft) {
        best = host;
        mostLeft = left;
      }
    }
    return best;
  }

  /** Share of the host's CPUs left after `shape`, or null where it does not fit. */
  private leftOver(host: RoomHost, capacity: Shape, shape: Shape, borrowsFrom: readonly TaskNumber[]): number | null {
    const holding = this.state.holdings.get(host.name) ?? emptyHolding();
    const free = this.freeOn(host.name, capacity, holding, borrowsFrom);
    if (fits(shape, free)) return (free.cpus - shape.cpus) / Math.max(capacity.cpus, 1);
    const stuck = borrowsFrom.length > 0 && !this.given.has(host.name) && this.allBlocked(holding);
    // Where everybody who holds room is blocked in vrun, nobody's room would ever be used again:
    // the first of those they wait for may have all of it (R23: never a deadlock, whatever the sizes).
    return stuck && fits(shape, capacity) ? 0 : null;
  }

  private allBlocked(holding: Holding): boolean {
    for (const [number, allocation] of holding.tasks) {
      if (!holdsNothing(allocation) && !this.isBlocked(number)) return false;
    }
    return true;
  }

  private freeOn(host: string, capacity: Shape, holding: Holding, borrowsFrom: readonly TaskNumber[]): Shape {
    const given = this.given.get(host);
    const reserved = borrowsFrom.length > 0 ? undefined : this.reserved.get(host);
    let cpus = capacity.cpus - holding.cpus - (given?.cpus ?? 0) - (reserved?.cpus ?? 0);
    let memory = capacity.memory - holding.memory - (given?.memory ?? 0) - (reserved?.memory ?? 0);
    for (const number of borrowsFrom) {
      const lent = holding.tasks.get(number);
      cpus += lent?.cpus ?? 0;
      memory += lent?.memory ?? 0;
    }
    const gpus = this.freeGpus(host, capacity, holding, borrowsFrom).length - (reserved?.gpus ?? 0);
    return { cpus, memory, gpus };
  }

  /** Indexes that nobody holds but those who lend. */
  private freeGpus(host: string, capacity: Shape, holding: Holding, borrowsFrom: readonly TaskNumber[]): number[] {
    const given = this.given.get(host)?.gpus;
    const free: number[] = [];
    for (let index = 0; index < capacity.gpus; index++) {
      const holders = holding.gpus.get(index) ?? [];
      if (!given?.has(index) && holders.every((holder) => borrowsFrom.includes(holder))) free.push(index);
    }
    return free;
  }

  private give(pool: RoomPool, task: Task, host: RoomHost, shape: Shape, borrowsFrom: readonly TaskNumber[]): void {
    const capacity = host.capacity ?? shape;
    const holding = this.state.holdings.get(host.name) ?? emptyHolding();
    const free = this.freeGpus(host.name, capacity, holding, borrowsFrom);
    // Under the rule for deadlocks even a GPU of another blocked task is used.
    const all = Array.from({ length: capacity.gpus }, (_, index) => index);
    const gpus = (free.length >= shape.gpus ? free : all).slice(0, shape.gpus);
    const allocation: Allocation = { host: host.name, cpus: shape.cpus, memory: shape.memory, gpus };
    this.placements.push({ task: task.number, allocation });
    this.startedByPool.set(pool.key, (this.startedByPool.get(pool.key) ?? 0) + 1);
    this.addGiven(allocation, task.number, 1);
  }

  private takeBack(pool: RoomPool, from: number): void {
    for (const { task, allocation } of this.placements.splice(from)) {
      this.startedByPool.set(pool.key, (this.startedByPool.get(pool.key) ?? 1) - 1);
      this.addGiven(allocation, task, -1);
    }
  }

  private addGiven(allocation: Allocation, task: TaskNumber, sign: 1 | -1): void {
    if (holdsNothing(allocation)) return;
    const given = this.given.get(allocation.host) ?? emptyHolding();
    given.cpus += sign * allocation.cpus;
    given.memory += sign * allocation.memory;
    for (const index of allocation.gpus) {
      if (sign === 1) given.gpus.set(index, [task]);
      else given.gpus.delete(index);
    }
    this.given.set(allocation.host, given);
  }

  /**
   * Keeps room for `count` shapes on the hosts where they would fit if those were empty: one host
   * for a single task (the one with the most CPUs), as many as it takes for a gang.
   */
  private reserve(pool: RoomPool, shape: Shape, count: number): void {
    let left = count;
    const hosts = pool.hosts
      .map((name) => this.room.host(name))
      .filter((host): host is RoomHost => host?.online === true && host.capacity !== null)
      .sort((a, b) => (b.capacity?.cpus ?? 0) - (a.capacity?.cpus ?? 0));
    for (const host of hosts) {
      const here = Math.min(left, timesThatFit(shape, host.capacity ?? shape));
      if (here <= 0) continue;
      const reserved = this.reserved.get(host.name) ?? { cpus: 0, memory: 0, gpus: 0 };
      this.reserved.set(host.name, {
        cpus: reserved.cpus + here * shape.cpus,
        memory: reserved.memory + here * shape.memory,
        gpus: reserved.gpus + here * shape.gpus,
      });
      left -= here;
    }
  }
}

function comesBefore(a: Task, b: Task): boolean {
  return a.spec.priority !== b.spec.priority ? a.spec.priority < b.spec.priority : a.number < b.number;
}

function holdsNothing(allocation: Allocation): boolean {
  return allocation.cpus === 0 && allocation.memory === 0 && allocation.gpus.length === 0;
}

/** A claim of nothing fits wherever it is made, also on a host that is overbooked. */
function fits(shape: Shape, free: Shape): boolean {
  return (
    (shape.cpus === 0 || shape.cpus <= free.cpus + 1e-9) &&
    (shape.memory === 0 || shape.memory <= free.memory) &&
    (shape.gpus === 0 || shape.gpus <= free.gpus)
  );
}

function timesThatFit(shape: Shape, capacity: Shape): number {
  const ratios = [
    shape.cpus > 0 ? capacity.cpus / shape.cpus : Number.POSITIVE_INFINITY,
    shape.memory > 0 ? capacity.memory / shape.memory : Number.POSITIVE_INFINITY,
    shape.gpus > 0 ? capacity.gpus / shape.gpus : Number.POSITIVE_INFINITY,
  ];
  return Math.floor(Math.min(...ratios) + 1e-9);
}

/** Why a task of this shape can never run in this pool, or null where it can or nobody knows yet. */
export function shapeProblem(room: Room, pool: RoomPool, override: Partial<Shape>): string | null {
  const shape = shapeOf(pool, override);
  const capacities = knownCapacities(room, pool);
  if (capacities === null || capacities.some(({ capacity }) => timesThatFit(shape, capacity) >= 1)) return null;
  const sizes = capacities.map(({ name, capacity }) => `${name} has ${describe(capacity)}`);
  return `pool ${pool.name} can never run this: it asks for ${describe(shape)}, and ${sizes.join(', ')}`;
}

/** Why `count` shards can never start together in this pool (R21), or null. */
export function roomForGang(room: Room, pool: RoomPool, override: Partial<Shape>, count: number): string | null {
  if (pool.slots !== null && pool.slots < count) {
    return `a gang of ${count} can never start in pool ${pool.name}: it has ${pool.slots} slots, ${count} > ${pool.slots}`;
  }
  const shape = shapeOf(pool, override);
  const capacities = knownCapacities(room, pool);
  if (capacities === null) return null;
  const each = capacities.map(({ name, capacity }) => ({ name, times: timesThatFit(shape, capacity) }));
  const total = each.reduce((sum, { times }) => sum + times, 0);
  if (total >= count) return null;
  const sums = each.map(({ name, times }) => `${name} ${times}`).join(' + ');
  return `a gang of ${count} can never start in pool ${pool.name}: of ${describe(shape)} each, there fit ${sums} = ${total} < ${count}`;
}

/** The capacities of the pool's hosts; null as long as one of them has never been reached. */
function knownCapacities(room: Room, pool: RoomPool): { name: string; capacity: Shape }[] | null {
  const known: { name: string; capacity: Shape }[] = [];
  for (const name of pool.hosts) {
    const capacity = room.host(name)?.capacity ?? null;
    if (capacity === null) return null;
    known.push({ name, capacity });
  }
  return known;
}

function describe(shape: Shape): string {
  const parts: string[] = [];
  if (shape.cpus > 0) parts.push(shape.cpus === 1 ? '1 CPU' : `${shape.cpus} CPUs`);
  if (shape.gpus > 0) parts.push(shape.gpus === 1 ? '1 GPU' : `${shape.gpus} GPUs`);
  if (shape.memory > 0) parts.push(`${Math.round((shape.memory / 1024 ** 3) * 10) / 10} GiB of memory`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
