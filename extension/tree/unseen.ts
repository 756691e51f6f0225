/** Failures that nobody has looked at yet. */
import { type Entry, isFailureItself } from './entries.ts';

/** What is remembered of it over windows and restarts. */
export interface Seen {
  /** What ended before is old. Milliseconds since the epoch. */
  before: number;
  /** Failures since then that were looked at, oldest first: `id attempt`. */
  failures: readonly string[];
}

/** Most failures that are remembered one by one. */
const most = 1_000;

export class Unseen {
  private readonly entries = new Set<Entry>();
  private before: number;
  private readonly seen: Set<string>;

  constructor({ before, failures }: Seen) {
    this.before = before;
    this.seen = new Set(failures);
  }

  get count(): number {
    return this.entries.size;
  }

  has(entry: Entry): boolean {
    return this.entries.has(entry);
  }

  /** Notes how a task is now. */
  note(entry: Entry, isGone: boolean): void {
    const isNews =
      !isGone &&
      isFailureItself(entry) &&
      (entry.resolvedAt ?? 0) >= this.before &&
      !this.seen.has(keyOf(entry));
    if (isNews) this.entries.add(entry);
    else this.entries.delete(entry);
  }

  /** Somebody looks at these tasks, and thereby at what is below them. Says whether that is news. */
  lookAt(tasks: Iterable<Entry>): boolean {
    const looked = new Set(tasks);
    let isNews = false;
    for (const failure of this.entries) {
      for (let each: Entry | null = failure; each !== null; each = each.parent) {
        if (!looked.has(each)) continue;
        this.entries.delete(failure);
        this.seen.add(keyOf(failure));
        isNews = true;
        break;
      }
    }
    return isNews;
  }

  /** All that has failed up to now has been looked at. */
  lookAtAll(now: number): void {
    this.entries.clear();
    this.seen.clear();
    this.before = now;
  }

  /** What is to be remembered, with what somebody has seen `elsewhere`. */
  remember(elsewhere: Seen = { before: 0, failures: [] }): Seen {
    const failures = new Set([...elsewhere.failures, ...this.seen]);
    return { before: Math.max(this.before, elsewhere.before), failures: [...failures].slice(-most) };
  }
}

function keyOf({ id, attempt }: Entry): string {
  return `${id} ${attempt}`;
}
