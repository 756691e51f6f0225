/**
 * Looks at files that attempts write on this machine, again and again while they run or somebody looks on.
 * Looking is cheap and its cost does not depend on how much is printed, nor on how often, as that of
 * inotify does. A command that ends before the first look costs nothing.
 */
import type { AttemptKey } from './host.ts';

/** Time between two looks, in milliseconds: after growth, and the longest, with and without a follower. */
const shortest = 10;
const longestFollowed = 40;
const longest = 500;
/** A quiet attempt's pause grows by this factor. */
const slowdown = 1.25;

interface Watched {
  running: boolean;
  followers: Set<() => void>;
  pause: number;
  /** When to look next, on the clock of `performance.now()`. */
  due: number;
}

export interface Looks {
  /** Looks; tells whether more has been written since the last look. */
  note(key: AttemptKey): boolean;
  /** The last look was the last. */
  forget(key: AttemptKey): void;
}

export class LogWatch {
  private readonly watched = new Map<AttemptKey, Watched>();
  private timer: NodeJS.Timeout | null = null;
  /** When the timer goes off. */
  private next = Number.POSITIVE_INFINITY;

  constructor(private readonly looks: Looks) {}

  /** The attempt's command runs: looks at its streams until `ended`. */
  started(key: AttemptKey): void {
    this.entry(key).running = true;
  }

  ended(key: AttemptKey): void {
    const entry = this.watched.get(key);
    if (!entry) return;
    entry.running = false;
    for (const changed of entry.followers) changed();
    if (entry.followers.size === 0) this.watched.delete(key);
  }

  /** Calls back soon after a stream has grown, until the function it returns is called. */
  follow(key: AttemptKey, changed: () => void): () => void {
    const entry = this.entry(key);
    entry.followers.add(changed);
    entry.pause = Math.min(entry.pause, longestFollowed);
    entry.due = Math.min(entry.due, performance.now() + entry.pause);
    this.wake(entry.due);
    return () => {
      entry.followers.delete(changed);
      if (entry.running || entry.followers.size > 0 || this.watched.get(key) !== entry) return;
      this.watched.delete(key);
      this.looks.forget(key);
    };
  }

  /** Whether the attempt runs or somebody looks on. */
  isWatched(key: AttemptKey): boolean {
    return this.watched.has(key);
  }

  /** Ends all looking. */
  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.watched.clear();
  }

  private entry(key: AttemptKey): Watched {
    let entry = this.watched.get(key);
    if (!entry) {
      entry = {
        running: false,
        followers: new Set(),
        pause: shortest,
        due: performance.now() + shortest,
      };
      this.watched.set(key, entry);
      this.wake(entry.due);
    }
    return entry;
  }

  /** Sees to it that the timer goes off at `due` at the latest. */
  private wake(due: number): void {
    if (due >= this.next) return;
    if (this.timer) clearTimeout(this.timer);
    this.next = due;
    this.timer = setTimeout(() => this.lookAround(), Math.max(1, due - performance.now()));
  }

  private lookAround(): void {
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [key, entry] of this.watched) {
      if (entry.due <= now + 1) {
        const grown = this.looks.note(key);
        const limit = entry.followers.size > 0 ? longestFollowed : longest;
        entry.pause = grown ? shortest : Math.min(entry.pause * slowdown, limit);
        entry.due = now + entry.pause;
        if (grown) for (const changed of entry.followers) changed();
      }
      next = Math.min(next, entry.due);
    }
    this.timer = null;
    this.next = Number.POSITIVE_INFINITY;
    this.wake(next);
  }
}
