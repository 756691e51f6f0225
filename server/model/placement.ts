/**
 * Which waiting tasks start now, and where (R21–R25). The order is priority, then submission; a task
 * that finds no room reserves it on one host, so that later ones only take what it does not need
 * and nothing waits for ever.
 */
import type { Placement } from './events.ts';
import {
  addHolding,
  emptyHolding,
  type Holding,
  holdersOf,
  holdsNothing,
  removeHolding,
} from './holdings.ts';
import { comesBefore } from './queue.ts';
import type { Room, RoomHost, RoomPool } from './room.ts';
import { fits, shapeOf, timesThatFit } from './shapes.ts';
import type { State } from './state.ts';
import type { Allocation, Shape, Task, TaskNumber } from './task.ts';

/** Tasks to start now. The caller turns the answer into one `placed` event and applies it at once. */
export function place(state: State, room: Room): Placement[] {
  const pass = new Pass(state, room);
  for (let next = pass.next(); next !== null; next = pass.next()) pass.consider(next);
  return pass.placements;
}

/**
 * The ancestors of `task` that are blocked in vrun and so lend what they hold (R23): their shape, and
 * their slot. Those that hold neither have nothing to lend.
 */
function lenders(state: State, room: Room, task: Task): TaskNumber[] {
  const found: TaskNumber[] = [];
  for (let up = task.parent; up !== null; up = state.task(up).parent) {
    const ancestor = state.task(up);
    const allocation = ancestor.attempts.at(-1)?.allocation;
    if (ancestor.phase.kind !== 'running' || ancestor.tally.awaited === 0 || allocation === undefined)
      continue;
    if (!holdsNothing(allocation) || (room.pool(ancestor.spec.pool)?.slots ?? null) !== null) found.push(up);
  }
  return found;
}

interface Line {
  pool: RoomPool;
  tasks: Iterator<Task>;
  head: Task;
  /** Who lends to all in this line: siblings have the same ancestors. */
  lenders: readonly TaskNumber[];
}

/** One look over all that waits. Placements are provisional until the caller has applied them. */
class Pass {
  readonly placements: Placement[] = [];
  /** Lines with somebody in them, in reverse order of their heads: the last one comes first. */
  private readonly lines: Line[] = [];
  /** What this pass has given away and what it keeps free for tasks that found no room, by host. */
  private readonly given = new Map<string, Holding>();
  private readonly reserved = new Map<string, Shape>();
  private readonly startedByPool = new Map<string, number>();
  /** Pools, and shapes in pools, of which somebody who borrows nothing found no room: nobody behind does. */
  private readonly stuck = new Set<string>();
  /** Whether all that hold room on a host, or slots of a pool, are blocked in vrun. */
  private readonly blocked = new Map<Holding | Set<TaskNumber>, boolean>();

  constructor(
    private readonly state: State,
    private readonly room: Room,
  ) {
    for (const [key, lines] of state.queues) {
      const pool = room.pool(key);
      for (const [name, queue] of lines) {
        if (queue.isEmpty()) lines.delete(name);
        else if (pool !== undefined) this.addLine(pool, queue[Symbol.iterator]());
      }
    }
    this.lines.sort((a, b) => (comesBefore(a.head, b.head) ? 1 : -1));
  }

  private addLine(pool: RoomPool, tasks: Iterator<Task>): void {
    const first = tasks.next();
    if (first.done === true) return;
    const head = first.value;
    this.lines.push({ pool, tasks, head, lenders: lenders(this.state, this.room, head) });
  }

  /** Takes out the line whose head comes first; null when all are empty or stuck. */
  next(): Line | null {
    return this.lines.pop() ?? null;
  }

  /** Places the head of a line and puts the rest back, or drops the line: those behind may not overtake it (R25). */
  consider(line: Line): void {
    const gang = line.head.spec.shards?.gang === true;
    if (!(gang ? this.placeGang(line) : this.placeOne(line))) return;
    const next = line.tasks.next();
    if (next.done === true) return;
    line.head = next.value;
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comesBefore(line.head, (this.lines[middle] as Line).head)) low = middle + 1;
      else high = middle;
    }
    this.lines.splice(low, 0, line);
  }

  private placeOne({ pool, head, lenders }: Line): boolean {
    const shape = shapeOf(pool, head.spec.shape);
    if (this.isStuck(pool, shape, lenders)) return false;
    if (!this.slotFree(pool, lenders, 0)) return this.noSlot(pool, lenders);
    const host = this.bestHost(pool, shape, lenders, head);
    if (host === null) return this.noRoom(pool, shape, 1, lenders);
    this.give(pool, head, host, shape, lenders);
    return true;
  }

  private placeGang({ pool, head, lenders }: Line): boolean {
    const shards = head.children
      .map((number) => this.state.task(number))
      .filter((shard) => shard.phase.kind !== 'done');
    const shape = shapeOf(pool, head.spec.shape);
    if (this.isStuck(pool, shape, lenders)) return false;
    const undo = this.placements.length;
    for (const [before, shard] of shards.entries()) {
      const free = this.slotFree(pool, lenders, before);
      const host = free ? this.bestHost(pool, shape, lenders, head) : null;
      if (host === null) {
        this.takeBack(pool, undo);
        if (!free) this.noSlot(pool, lenders);
        return this.noRoom(pool, shape, shards.length, lenders);
      }
      this.give(pool, shard, host, shape, lenders);
    }
    return true;
  }

  private isStuck(pool: RoomPool, shape: Shape, lenders: readonly TaskNumber[]): boolean {
    return lenders.length === 0 && (this.stuck.has(pool.key) || this.stuck.has(inPool(pool, shape)));
  }

  private noSlot(pool: RoomPool, lenders: readonly TaskNumber[]): false {
    if (lenders.length === 0) this.stuck.add(pool.key);
    return false;
  }

  private noRoom(pool: RoomPool, shape: Shape, count: number, lenders: readonly TaskNumber[]): false {
    if (lenders.length === 0) this.stuck.add(inPool(pool, shape));
    this.reserve(pool, shape, count);
    return false;
  }

  /** @param before how many of its own gang this pass has started already. */
  private slotFree(pool: RoomPool, lenders: readonly TaskNumber[], before: number): boolean {
    if (pool.slots === null) return true;
    const occupants = this.state.occupants.get(pool.key) ?? new Set<TaskNumber>();
    const started = this.startedByPool.get(pool.key) ?? 0;
    const lent = lenders.filter((number) => occupants.has(number)).length;
    if (occupants.size + started - lent < pool.slots) return true;
    return lenders.length > 0 && started === before && before < pool.slots && this.allBlocked(occupants);
  }

  private allBlocked(holders: Holding | Set<TaskNumber>): boolean {
    let blocked = this.blocked.get(holders);
    if (blocked === undefined) {
      blocked = true;
      for (const number of holders instanceof Set ? holders : holdersOf(holders)) {
        blocked = this.state.task(number).tally.awaited > 0;
        if (!blocked) break;
      }
      this.blocked.set(holders, blocked);
    }
    return blocked;
  }

  /** The host with the largest share left over after `shape`; the pool's order decides between equals. */
  private bestHost(
    pool: RoomPool,
    shape: Shape,
    lenders: readonly TaskNumber[],
    head: Task,
  ): RoomHost | null {
    let best: RoomHost | null = null;
    let mostLeft = Number.NEGATIVE_INFINITY;
    for (const name of pool.hosts) {
      const host = this.room.host(name);
      if (host === undefined || !host.online || host.capacity === null) continue;
      const left = this.leftOver(host, host.capacity, shape, lenders, head);
      if (left !== null && left > mostLeft) {
        best = host;
        mostLeft = left;
      }
    }
    return best;
  }

  /** Share of the host's CPUs left after `shape`, or null where it does not fit. */
  private leftOver(
    host: RoomHost,
    capacity: Shape,
    shape: Shape,
    lenders: readonly TaskNumber[],
    head: Task,
  ): number | null {
    const holding = this.state.holdings.get(host.name) ?? emptyHolding();
    const free = this.freeOn(host.name, capacity, holding, lenders);
    if (fits(shape, free)) return (free.cpus - shape.cpus) / Math.max(capacity.cpus, 1);
    if (lenders.length === 0 || !this.allBlocked(holding)) return null;
    // Where everybody who holds room is blocked in vrun, nobody's room would ever be used again:
    // the first of those they wait for may have all of it (R23: never a deadlock, whatever the sizes).
    const given = this.given.get(host.name) ?? emptyHolding();
    for (const number of given.tasks.keys()) if (this.state.task(number).parent !== head.number) return null;
    const { cpus, memory, gpus } = given;
    const all = {
      cpus: capacity.cpus - cpus,
      memory: capacity.memory - memory,
      gpus: capacity.gpus - gpus.size,
    };
    return fits(shape, all) ? 0 : null;
  }

  private freeOn(host: string, capacity: Shape, holding: Holding, lenders: readonly TaskNumber[]): Shape {
    const given = this.given.get(host);
    const reserved = lenders.length > 0 ? undefined : this.reserved.get(host);
    let cpus = capacity.cpus - holding.cpus - (given?.cpus ?? 0) - (reserved?.cpus ?? 0);
    let memory = capacity.memory - holding.memory - (given?.memory ?? 0) - (reserved?.memory ?? 0);
    for (const number of lenders) {
      const lent = holding.tasks.get(number);
      cpus += lent?.cpus ?? 0;
      memory += lent?.memory ?? 0;
    }
    const gpus = this.freeGpus(host, capacity, holding, lenders).length - (reserved?.gpus ?? 0);
    return { cpus, memory, gpus };
  }

  /** Indexes that nobody holds but those who lend. */
  private freeGpus(
    host: string,
    capacity: Shape,
    holding: Holding,
    lenders: readonly TaskNumber[],
  ): number[] {
    return this.ungiven(host, capacity).filter((index) => {
      const holders = holding.gpus.get(index) ?? [];
      return holders.every((holder) => lenders.includes(holder));
    });
  }

  /** Indexes that this pass has not given away. */
  private ungiven(host: string, capacity: Shape): number[] {
    const given = this.given.get(host)?.gpus;
    const all = Array.from({ length: capacity.gpus }, (_, index) => index);
    return given === undefined ? all : all.filter((index) => !given.has(index));
  }

  private give(
    pool: RoomPool,
    task: Task,
    host: RoomHost,
    shape: Shape,
    lenders: readonly TaskNumber[],
  ): void {
    const capacity = host.capacity ?? shape;
    const holding = this.state.holdings.get(host.name) ?? emptyHolding();
    const free = this.freeGpus(host.name, capacity, holding, lenders);
    // Under the rule for deadlocks even a GPU of another blocked task is used.
    const choice = free.length >= shape.gpus ? free : this.ungiven(host.name, capacity);
    const gpus = choice.slice(0, shape.gpus);
    const allocation: Allocation = { host: host.name, cpus: shape.cpus, memory: shape.memory, gpus };
    this.placements.push({ task: task.number, allocation });
    this.startedByPool.set(pool.key, (this.startedByPool.get(pool.key) ?? 0) + 1);
    if (!holdsNothing(allocation)) addHolding(this.given, task.number, allocation);
  }

  private takeBack(pool: RoomPool, from: number): void {
    for (const { task, allocation } of this.placements.splice(from)) {
      this.startedByPool.set(pool.key, (this.startedByPool.get(pool.key) ?? 1) - 1);
      if (!holdsNothing(allocation)) removeHolding(this.given, task, allocation);
    }
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

function inPool(pool: RoomPool, { cpus, memory, gpus }: Shape): string {
  return [pool.key, cpus, memory, gpus].join(' ');
}
