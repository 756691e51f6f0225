/** Where tasks can run, as the model needs to know it. Facts from outside: they are not state. */
import type { Shape } from './task.ts';

export interface RoomHost {
  name: string;
  /** Null until the host was reached for the first time and nothing is configured. */
  capacity: Shape | null;
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
}

export interface Room {
  host(name: string): RoomHost | undefined;
  pool(key: string): RoomPool | undefined;
}
