/** What one look over all that waits gives away and keeps free, host by host (R22–R25). */
import { addHolding, emptyHolding, type Holding, removeHolding } from './holdings.ts';
import { gpusFor, type RoomHost, type RoomPool } from './room.ts';
import type { State } from './state.ts';
import type { Allocation, Shape, TaskNumber } from './task.ts';

/** What a task could take of a host: GPUs by index, in the order in which to take them. */
export interface Free {
  cpus: number;
  memory: number;
  gpus: readonly number[];
}

interface Reserve {
  cpus: number;
  memory: number;
  /** How many slots of each GPU. */
  gpus: Map<number, number>;
}

export class Accounts {
  private readonly given = new Map<string, Holding>();
  private readonly reserves = new Map<string, Reserve>();

  constructor(private readonly state: State) {}

  /** What tasks held on a host before this look. */
  heldOn(host: string): Holding {
    return this.state.holdings.get(host) ?? emptyHolding();
  }

  /** What this look has given away on a host. */
  givenOn(host: string): Holding {
    return this.given.get(host) ?? emptyHolding();
  }

  give(task: TaskNumber, allocation: Allocation): void {
    addHolding(this.given, task, allocation);
  }

  takeBack(task: TaskNumber, allocation: Allocation): void {
    removeHolding(this.given, task, allocation);
  }

  /**
   * What is free on a host for a task of this pool and shape: without what is reserved, or, where the task
   * has lenders, together with what those hold. GPUs are looked for only where the shape has any.
   */
  free(pool: RoomPool, host: RoomHost, capacity: Shape, shape: Shape, lenders: readonly TaskNumber[]): Free {
    const held = this.heldOn(host.name);
    const given = this.givenOn(host.name);
    const reserve = lenders.length > 0 ? undefined : this.reserves.get(host.name);
    let cpus = capacity.cpus - held.cpus - given.cpus - (reserve?.cpus ?? 0);
    let memory = capacity.memory - held.memory - given.memory - (reserve?.memory ?? 0);
    for (const number of lenders) {
      const lent = held.tasks.get(number);
      cpus += lent?.cpus ?? 0;
      memory += lent?.memory ?? 0;
    }
    if (shape.gpus === 0) return { cpus, memory, gpus: [] };
    const load = (index: number) => {
      const holders = held.gpus.get(index) ?? [];
      return holders.filter((holder) => !lenders.includes(holder)).length + this.givenOf(given, index);
    };
    const isLent = (index: number) => (held.gpus.get(index) ?? []).some((holder) => lenders.includes(holder));
    const gpus = gpusFor(pool, host).filter(
      (index) =>
        load(index) + (reserve?.gpus.get(index) ?? 0) < host.slotsPerGpu &&
        // A lender has that GPU already, whoever else uses it.
        (!host.avoid.has(index) || isLent(index)),
    );
    return { cpus, memory, gpus: leastFirst(gpus, load) };
  }

  /** What would be free on a host if nobody held anything but what this look has given away. */
  freeButForGiven(pool: RoomPool, host: RoomHost, capacity: Shape): Free {
    const held = this.heldOn(host.name);
    const given = this.givenOn(host.name);
    const load = (index: number) => this.givenOf(given, index);
    const gpus = gpusFor(pool, host).filter(
      (index) => load(index) < host.slotsPerGpu && (!host.avoid.has(index) || held.gpus.has(index)),
    );
    return {
      cpus: capacity.cpus - given.cpus,
      memory: capacity.memory - given.memory,
      gpus: leastFirst(gpus, load),
    };
  }

  /** What a task of this pool would find if the host were empty, but for those who use its GPUs besides us. */
  presentCapacity(pool: RoomPool, host: RoomHost, capacity: Shape): Shape {
    if (host.avoid.size === 0) return capacity;
    return { ...capacity, gpus: gpusFor(pool, host).filter((index) => !host.avoid.has(index)).length };
  }

  /** Keeps room for so many of a shape: later tasks get only what is left of the host. */
  reserve(pool: RoomPool, host: RoomHost, shape: Shape, times: number): void {
    let reserve = this.reserves.get(host.name);
    if (reserve === undefined) {
      this.reserves.set(host.name, (reserve = { cpus: 0, memory: 0, gpus: new Map() }));
    }
    reserve.cpus += times * shape.cpus;
    reserve.memory += times * shape.memory;
    if (shape.gpus === 0) return;
    for (let n = 0; n < times; n++) this.reserveGpus(pool, host, shape.gpus, reserve.gpus);
  }

  /**
   * Keeps those GPUs that are free now rather than such as others hold: once enough are, they stay so, and
   * the task waits for nothing but the rest of its shape.
   */
  private reserveGpus(pool: RoomPool, host: RoomHost, count: number, kept: Map<number, number>): void {
    const held = this.heldOn(host.name);
    const given = this.givenOn(host.name);
    const reserved = (index: number) => kept.get(index) ?? 0;
    const taken = (index: number) =>
      (held.gpus.get(index)?.length ?? 0) + this.givenOf(given, index) + reserved(index);
    const full = (index: number) => Number(taken(index) >= host.slotsPerGpu);
    const choice = gpusFor(pool, host)
      .filter((index) => !host.avoid.has(index))
      .sort((a, b) => full(a) - full(b) || (full(a) ? reserved(a) - reserved(b) : taken(a) - taken(b)));
    for (const index of choice.slice(0, count)) kept.set(index, reserved(index) + 1);
  }

  private givenOf(given: Holding, index: number): number {
    return given.gpus.get(index)?.length ?? 0;
  }
}

/** The least used GPUs first; among equals the order stays. */
function leastFirst(gpus: readonly number[], load: (index: number) => number): number[] {
  return [...gpus].sort((a, b) => load(a) - load(b));
}
