import type { Task, TaskNumber } from './task.ts';

interface Waiter {
  task: TaskNumber;
  dependency: number;
}

/** The names among one parent's children, or among the runs. */
export class Scope {
  /** Segments taken, with the number to try next after `SEGMENT_` (R9). */
  private readonly segments = new Map<string, number>();
  /** Children by name, as the parent's present attempt has submitted them (R10). */
  private names = new Map<string, TaskNumber[]>();
  /** Dependencies that wait for a name to be taken (R11). */
  private readonly waiters = new Map<string, Waiter[]>();
  /** How often the present attempt of the parent has used a segment (R29). */
  private uses = new Map<string, number>();
  /** Place of the first shard that may still wait for `-N n%K` to let it go. */
  nextShard = 0;

  /** A segment no child has yet: this one, else with `_2`, `_3`, … in constant time (R9). */
  freeSegment(base: string): string {
    if (!this.segments.has(base)) return base;
    let next = this.segments.get(base) ?? 2;
    while (this.segments.has(`${base}_${next}`)) next += 1;
    this.segments.set(base, next);
    return `${base}_${next}`;
  }

  takeSegment(segment: string): void {
    if (!this.segments.has(segment)) this.segments.set(segment, 2);
  }

  /** The segment that the next use of `base` in this attempt of the parent would have had. */
  nextUse(base: string): string {
    const use = this.uses.get(base) ?? 1;
    return use === 1 ? base : `${base}_${use}`;
  }

  countUse(base: string): void {
    this.uses.set(base, (this.uses.get(base) ?? 1) + 1);
  }

  /** Enters a child under its name. */
  bear(task: Task): void {
    const bearers = this.names.get(task.spec.name);
    if (bearers === undefined) this.names.set(task.spec.name, [task.number]);
    else bearers.push(task.number);
  }

  bearers(name: string): readonly TaskNumber[] {
    return this.names.get(name) ?? [];
  }

  allNames(): Iterable<[string, readonly TaskNumber[]]> {
    return this.names;
  }

  /** A new attempt of the parent submits afresh; what earlier attempts submitted has to be claimed. */
  beginGeneration(): void {
    this.names = new Map();
    this.uses = new Map();
  }

  await(name: string, task: TaskNumber, dependency: number): void {
    for (const key of awaitedNames(name)) {
      const waiters = this.waiters.get(key);
      if (waiters === undefined) this.waiters.set(key, [{ task, dependency }]);
      else waiters.push({ task, dependency });
    }
  }

  /** The dependencies that waited for this name. The caller takes them over. */
  takeWaiters(name: string): Waiter[] {
    const waiters = this.waiters.get(name) ?? [];
    this.waiters.delete(name);
    return waiters;
  }

  /** Who waits for this name, left in place. */
  waitersFor(name: string): readonly Waiter[] {
    return this.waiters.get(name) ?? [];
  }

  allWaiters(): TaskNumber[] {
    return [...new Set([...this.waiters.values()].flat().map((waiter) => waiter.task))];
  }

  /** A pruned run gives its name and segment back. */
  forget(name: string, segment: string, task: TaskNumber): void {
    this.segments.delete(segment);
    const left = this.bearers(name).filter((bearer) => bearer !== task);
    if (left.length === 0) this.names.delete(name);
    else this.names.set(name, left);
  }
}

/** A path `a/b` waits for a child named `a/b` and for one named `a` alike (R10). */
function awaitedNames(name: string): string[] {
  const slash = name.indexOf('/');
  return slash > 0 ? [name, name.slice(0, slash)] : [name];
}
