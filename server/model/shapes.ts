/** What a task takes and what a host has: whether the one fits into the other, for now or ever. */
import { capacityFor, type Room, type RoomPool } from './room.ts';
import type { Shape } from './task.ts';

/** The shape a task takes: its pool's, with what its own flags put in place of it. */
export function shapeOf(pool: RoomPool, override: Partial<Shape>): Shape {
  return { ...pool.shape, ...override };
}

/** A claim of nothing fits wherever it is made, also on a host that is overbooked. */
export function fits(shape: Shape, free: Shape): boolean {
  return (
    (shape.cpus === 0 || shape.cpus <= free.cpus + 1e-9) &&
    (shape.memory === 0 || shape.memory <= free.memory) &&
    (shape.gpus === 0 || shape.gpus <= free.gpus)
  );
}

/** How many of this shape fit at once, each on GPUs of its own or as the slots of a GPU allow. */
export function timesThatFit(shape: Shape, capacity: Shape, slotsPerGpu: number): number {
  if (shape.gpus > capacity.gpus) return 0;
  const ratios = [
    shape.cpus > 0 ? capacity.cpus / shape.cpus : Number.POSITIVE_INFINITY,
    shape.memory > 0 ? capacity.memory / shape.memory : Number.POSITIVE_INFINITY,
    shape.gpus > 0 ? (capacity.gpus * slotsPerGpu) / shape.gpus : Number.POSITIVE_INFINITY,
  ];
  return Math.floor(Math.min(...ratios) + 1e-9);
}

/** Why a task of this shape can never run in this pool, or null where it can or nobody knows yet. */
export function shapeProblem(room: Room, pool: RoomPool, override: Partial<Shape>): string | null {
  const shape = shapeOf(pool, override);
  const capacities = knownCapacities(room, pool);
  if (capacities === null || capacities.some(({ capacity }) => fits(shape, capacity))) return null;
  const sizes = capacities.map(({ name, capacity }) => `${name} has ${describe(capacity)}`);
  return `pool ${pool.name} can never run this: it asks for ${describe(shape)}, and ${sizes.join(', ')}`;
}

/** Why `count` shards can never start together in this pool (R21), or null. */
export function roomForGang(
  room: Room,
  pool: RoomPool,
  override: Partial<Shape>,
  count: number,
): string | null {
  if (pool.slots !== null && pool.slots < count) {
    return `a gang of ${count} can never start in pool ${pool.name}: it has ${pool.slots} slots, ${count} > ${pool.slots}`;
  }
  const shape = shapeOf(pool, override);
  const capacities = knownCapacities(room, pool);
  if (capacities === null) return null;
  const each = capacities.map(({ name, capacity, slotsPerGpu }) => ({
    name,
    times: timesThatFit(shape, capacity, slotsPerGpu),
  }));
  const total = each.reduce((sum, { times }) => sum + times, 0);
  if (total >= count) return null;
  const sums = each.map(({ name, times }) => `${name} ${times}`).join(' + ');
  return `a gang of ${count} can never start in pool ${pool.name}: of ${describe(shape)} each, there fit ${sums} = ${total} < ${count}`;
}

interface KnownCapacity {
  name: string;
  capacity: Shape;
  slotsPerGpu: number;
}

/** The capacities of the pool's hosts; null as long as one of them has never been reached. */
function knownCapacities(room: Room, pool: RoomPool): KnownCapacity[] | null {
  const known: KnownCapacity[] = [];
  for (const name of pool.hosts) {
    const host = room.host(name);
    const capacity = host === undefined ? null : capacityFor(pool, host);
    if (host === undefined || capacity === null) return null;
    known.push({ name, capacity, slotsPerGpu: host.slotsPerGpu });
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
