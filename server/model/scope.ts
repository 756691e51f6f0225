import { segmentOf } from './naming.ts';
import { closest } from './nearest.ts';
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
  /** How far the present attempt of the parent, if it is not the first, has used each segment (R29). */
  private uses = new Map<string, number>();
  /** Place of the first shard that may still wait for `-N n%K` to let it go. */
  nextShard = 0;

  /** Lets a shard, which waits again, be considered again. */
  lookAgainAt(shard: number): void {
    this.nextShard = Math.min(this.nextShard, shard);
  }

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

  /** The segments that `base`, submitted next by this attempt of the parent, may have got in an earlier one. */
  *earlierSegments(base: string): Generator<string> {
    for (let use = this.uses.get(base) ?? 1; ; use++) yield use === 1 ? base : `${base}_${use}`;
  }

  /** What `nameLike` has found. */
  private readonly hints = new Map<string, string | null>();

  /** Enters a child, which the present attempt of the parent has submitted, under its name. */
  bear(task: Task): void {
    this.hints.clear();
    const bearers = this.names.get(task.spec.name);
    if (bearers === undefined) this.names.set(task.spec.name, [task.number]);
    else bearers.push(task.number);
    if (task.generation < 2) return;
    const base = segmentOf(task.spec.name);
    const use = task.segment === base ? 1 : Number(task.segment.slice(base.length + 1));
    this.uses.set(base, Math.max(this.uses.get(base) ?? 1, use + 1));
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
    this.hints.clear();
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

  /** Takes a task's dependency on this name away, which it does not have any more. */
  endWait(name: string, task: TaskNumber): void {
    for (const key of awaitedNames(name)) {
      const left = this.waitersFor(key).filter((waiter) => waiter.task !== task);
      if (left.length === 0) this.waiters.delete(key);
      else this.waiters.set(key, left);
    }
  }

  /** Tasks that wait for any name, in order. */
  allWaiters(): TaskNumber[] {
    const tasks = [...this.waiters.values()].flat().map((waiter) => waiter.task);
    return [...new Set(tasks)].sort((a, b) => a - b);
  }

  /**
   * The name that is most like `name`, but not `own`; null where there is none. Kept until names change:
   * thousands may have waited for the same misspelt one.
   */
  nameLike(name: string, own: string): string | null {
    const like = this.hint(name, null);
    return like === own ? this.hint(name, own) : like;
  }

  private hint(name: string, except: string | null): string | null {
    const key = JSON.stringify([name, except]);
    let hint = this.hints.get(key);
    if (hint === undefined) {
      // Sorted, since the order of claims must not decide between equals.
      const names = [...this.names.keys()].filter((one) => one !== except).sort();
      hint = closest(name, names);
      this.hints.set(key, hint);
    }
    return hint;
  }

  /** Pruned runs give their names and segments back. */
  forget(runs: readonly Task[]): void {
    const gone = new Set(runs.map((run) => run.number));
    for (const { segment } of runs) this.segments.delete(segment);
    for (const name of new Set(runs.map((run) => run.spec.name))) {
      const left = this.bearers(name).filter((bearer) => !gone.has(bearer));
      if (left.length === 0) this.names.delete(name);
      else this.names.set(name, left);
    }
  }
}

/** A path `a/b` waits for a child named `a/b` and for one named `a` alike (R10). */
export function awaitedNames(name: string): string[] {
  const slash = name.indexOf('/');
  return slash > 0 ? [name, name.slice(0, slash)] : [name];
}
