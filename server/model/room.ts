/** Where tasks can run, as the model needs to know it. Facts from outside: they are not state. */
import type { Shape, TaskNumber } from './task.ts';

export interface RoomHost {
  name: string;
  /** Null until the host was reached for the first time and nothing is configured. */
  capacity: Shape | null;
  /** Indexes of the GPUs that tasks may hold, in the order in which to grant them: as many as `capacity` has. */
  gpus: readonly number[];
  /** Most tasks that may hold the same GPU at once. */
  slotsPerGpu: number;
  /** GPUs not to be granted at present, each with the reason, such as `is used by another user, 31 GiB`. */
  avoid: ReadonlyMap<number, string>;
  online: boolean;
  /** Since when it is not reachable and why, for a person; null while online. */
  trouble: string | null;
}

export interface RoomPool {
  key: string;
  name: string;
  hosts: readonly string[];
  shape: Shape;
  /** Most tasks of this pool at once, or null for no limit. */
  slots: number | null;
  /** By host, the GPUs that will do for its tasks, where not every one will: those of a model. */
  gpusOn?: ReadonlyMap<string, readonly number[]>;
}

export interface Room {
  host(name: string): RoomHost | undefined;
  pool(key: string): RoomPool | undefined;
  /** What is on its way for a task, such as `sending 3 of 10 files, 4 MB of 12 MB`; null where nothing is. */
  moving(task: TaskNumber): string | null;
}

/** Indexes of the GPUs of a host that tasks of a pool may hold, in the order in which to grant them. */
export function gpusFor(pool: RoomPool, host: RoomHost): readonly number[] {
  const those = pool.gpusOn?.get(host.name);
  return those === undefined ? host.gpus : host.gpus.filter((index) => those.includes(index));
}

/** What a host has for tasks of a pool; null while that is not known. */
export function capacityFor(pool: RoomPool, host: RoomHost): Shape | null {
  if (host.capacity === null || pool.gpusOn === undefined) return host.capacity;
  return { ...host.capacity, gpus: gpusFor(pool, host).length };
}
