/** Who holds what on a host: an index over the allocations of attempts under way (R22, R24). */
import type { Allocation, TaskNumber } from './task.ts';

export interface Holding {
  cpus: number;
  memory: number;
  /** Holders by GPU index. More than one only while a blocked ancestor lends it (R23). */
  gpus: Map<number, TaskNumber[]>;
  /** Tasks whose attempt is under way here, with what each holds. */
  tasks: Map<TaskNumber, Allocation>;
}

export function emptyHolding(): Holding {
  return { cpus: 0, memory: 0, gpus: new Map(), tasks: new Map() };
}

export function addHolding(holdings: Map<string, Holding>, task: TaskNumber, allocation: Allocation): void {
  let holding = holdings.get(allocation.host);
  if (holding === undefined) holdings.set(allocation.host, (holding = emptyHolding()));
  holding.cpus += allocation.cpus;
  holding.memory += allocation.memory;
  for (const index of allocation.gpus) {
    holding.gpus.set(index, [...(holding.gpus.get(index) ?? []), task]);
  }
  holding.tasks.set(task, allocation);
}

export function removeHolding(
  holdings: Map<string, Holding>,
  task: TaskNumber,
  allocation: Allocation,
): void {
  const holding = holdings.get(allocation.host);
  if (holding === undefined) return;
  holding.tasks.delete(task);
  for (const index of allocation.gpus) {
    const others = (holding.gpus.get(index) ?? []).filter((holder) => holder !== task);
    if (others.length === 0) holding.gpus.delete(index);
    else holding.gpus.set(index, others);
  }
  if (holding.tasks.size === 0) {
    // Fractional CPUs add up to rounding errors; an empty host starts again from zero.
    holdings.delete(allocation.host);
    return;
  }
  holding.cpus -= allocation.cpus;
  holding.memory -= allocation.memory;
}

export function holdsNothing(allocation: Allocation): boolean {
  return allocation.cpus === 0 && allocation.memory === 0 && allocation.gpus.length === 0;
}

/** Tasks that hold any of a host's room. */
export function* holdersOf(holding: Holding): Generator<TaskNumber> {
  for (const [number, allocation] of holding.tasks) if (!holdsNothing(allocation)) yield number;
}
