/**
 * Which waiting tasks start now, and where (R21–R25). The order is priority, then submission; a task
 * that finds no room reserves it on one host, so that later ones only take what it does not need
 * and nothing waits for ever.
 */
import { Accounts, type Free } from './accounts.ts';
import type { Placement } from './events.ts';
import { type Holding, holdersOf, holdsNothing } from './holdings.ts';
import { comesBefore } from './queue.ts';
import { capacityFor, type Room, type RoomHost, type RoomPool } from './room.ts';
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

/** Where a task would go, and what it would find there. */
interface Site {
  host: RoomHost;
  free: Free;
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
  private readonly accounts: Accounts;
  private readonly startedByPool = new Map<string, number>();
  /** Pools, and shapes in pools, of which somebody who borrows nothing found no room: nobody behind does. */
  private readonly stuck = new Set<string>();
  /** Whether all that hold room on a host, or slots of a pool, are blocked in vrun. */
  private readonly blocked = new Map<Holding | Set<TaskNumber>, boolean>();

  constructor(
    private readonly state: State,
    private readonly room: Room,
  ) {
    this.accounts = new Accounts(state);
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
    const site = this.bestSite(pool, shape, lenders, head);
    if (site === null) return this.noRoom(pool, shape, 1, lenders);
    this.give(pool, head, site, shape);
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
      const site = free ? this.bestSite(pool, shape, lenders, head) : null;
      if (site === null) {
        this.takeBack(pool, undo);
        if (!free) this.noSlot(pool, lenders);
        return this.noRoom(pool, shape, shards.length, lenders);
      }
      this.give(pool, shard, site, shape);
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
  private bestSite(pool: RoomPool, shape: Shape, lenders: readonly TaskNumber[], head: Task): Site | null {
    let best: Site | null = null;
    let mostLeft = Number.NEGATIVE_INFINITY;
    for (const name of pool.hosts) {
      const host = this.room.host(name);
      if (host === undefined || !host.online || host.capacity === null) continue;
      const free = this.freeOn(pool, host, host.capacity, shape, lenders, head);
      if (free === null) continue;
      const left = (free.cpus - shape.cpus) / Math.max(host.capacity.cpus, 1);
      if (left > mostLeft) {
        best = { host, free };
        mostLeft = left;
      }
    }
    return best;
  }

  /** What `shape` finds on a host, or null where it does not fit. */
  private freeOn(
    pool: RoomPool,
    host: RoomHost,
    capacity: Shape,
    shape: Shape,
    lenders: readonly TaskNumber[],
    head: Task,
  ): Free | null {
    const free = this.accounts.free(pool, host, capacity, shape, lenders);
    if (fits(shape, amounts(free))) return free;
    if (lenders.length === 0 || !this.allBlocked(this.accounts.heldOn(host.name))) return null;
    // Where everybody who holds room is blocked in vrun, nobody's room would ever be used again:
    // the first of those they wait for may have all of it (R23: never a deadlock, whatever the sizes).
    for (const number of this.accounts.givenOn(host.name).tasks.keys())
      if (this.state.task(number).parent !== head.number) return null;
    const all = this.accounts.freeButForGiven(pool, host, capacity);
    if (!fits(shape, amounts(all))) return null;
    // On a host that is overbooked by it nothing is left over.
    return { ...all, cpus: shape.cpus };
  }

  private give(pool: RoomPool, task: Task, { host, free }: Site, { cpus, memory, gpus }: Shape): void {
    const allocation: Allocation = { host: host.name, cpus, memory, gpus: free.gpus.slice(0, gpus) };
    this.placements.push({ task: task.number, allocation });
    this.startedByPool.set(pool.key, (this.startedByPool.get(pool.key) ?? 0) + 1);
    if (!holdsNothing(allocation)) this.accounts.give(task.number, allocation);
  }

  private takeBack(pool: RoomPool, from: number): void {
    for (const { task, allocation } of this.placements.splice(from)) {
      this.startedByPool.set(pool.key, (this.startedByPool.get(pool.key) ?? 1) - 1);
      if (!holdsNothing(allocation)) this.accounts.takeBack(task, allocation);
    }
  }

  /**
   * Keeps room for `count` shapes on the hosts where they would fit if those were empty: one host
   * for a single task (the one with the most CPUs), as many as it takes for a gang. Where they would not
   * fit at present even so, because of others than our tasks, nothing is kept: nobody knows until when.
   */
  private reserve(pool: RoomPool, shape: Shape, count: number): void {
    let left = count;
    const shares: { host: RoomHost; times: number }[] = [];
    const hosts = pool.hosts
      .map((name) => this.room.host(name))
      .filter((host): host is RoomHost => host?.online === true && host.capacity !== null)
      .sort((a, b) => (b.capacity?.cpus ?? 0) - (a.capacity?.cpus ?? 0));
    for (const host of hosts) {
      const capacity = capacityFor(pool, host) ?? shape;
      const present = this.accounts.presentCapacity(pool, host, capacity);
      const times = Math.min(left, timesThatFit(shape, present, host.slotsPerGpu));
      if (times <= 0) continue;
      shares.push({ host, times });
      left -= times;
    }
    if (left > 0) return;
    for (const { host, times } of shares) this.accounts.reserve(pool, host, shape, times);
  }
}

function amounts({ cpus, memory, gpus }: Free): Shape {
  return { cpus, memory, gpus: gpus.length };
}

function inPool(pool: RoomPool, { cpus, memory, gpus }: Shape): string {
  return [pool.key, cpus, memory, gpus].join(' ');
}
