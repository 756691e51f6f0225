/**
 * In which order stdout and stderr were written (R36). They are two files, so this is found by looking
 * at both sizes again and again: what has grown since the last look was written after what was there.
 * Looking is cheap and its cost does not depend on how much is printed, nor on how often, as that of
 * inotify does. A command that ends before the first look costs nothing.
 */
import { readFileSync, statSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import type { HostPaths } from './files.ts';
import type { AttemptKey, LogStream, LogStretch } from './host.ts';
import { fileSize } from './localFiles.ts';

const streams = ['stdout', 'stderr'] as const;
type Sizes = Record<LogStream, number>;

/** That a stream was seen to have grown by so many bytes. */
interface Growth {
  stream: LogStream;
  length: number;
}

/** Time between two looks, in milliseconds: after growth, and the longest, with and without a follower. */
const shortest = 10;
const longestFollowed = 40;
const longest = 500;
/** A quiet attempt's pause grows by this factor. */
const slowdown = 1.25;
/** Stretches are kept in memory up to this many, then appended to the attempt's .order file. */
const maxPending = 256;

interface Watched {
  running: boolean;
  followers: Set<() => void>;
  pause: number;
  /** When to look next, on the clock of `performance.now()`. */
  due: number;
  /** Sizes when last looked at; null before the first look that found anything. */
  seen: Sizes | null;
  /** What was seen and is not yet in the file; neighbours are of different streams. */
  pending: Growth[];
  /** Whether the file holds anything, or soon will. */
  recorded: boolean;
  writing: Promise<void>;
}

export class LogOrder {
  private readonly watched = new Map<AttemptKey, Watched>();
  private timer: NodeJS.Timeout | null = null;
  /** When the timer goes off. */
  private next = Number.POSITIVE_INFINITY;

  constructor(
    private readonly paths: HostPaths,
    private readonly log: (message: string) => void,
  ) {}

  /** The attempt's command runs: looks at its streams until `ended`. */
  started(key: AttemptKey): void {
    this.entry(key).running = true;
  }

  /** The attempt's streams have their final sizes. */
  ended(key: AttemptKey): void {
    const entry = this.watched.get(key);
    if (!entry) return;
    entry.running = false;
    if (entry.seen) this.look(key, entry);
    for (const changed of entry.followers) changed();
    if (entry.recorded || !isDefault(entry.pending)) this.flush(key, entry);
    // Until it is in the file, what was seen is here only.
    void entry.writing.then(() => this.drop(key, entry));
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
      this.drop(key, entry);
    };
  }

  /** The stretches up to the streams' present sizes. */
  async stretches(key: AttemptKey): Promise<LogStretch[]> {
    const entry = this.watched.get(key);
    let writing: Promise<void> | undefined;
    let growth: Growth[];
    // What moves from memory to the file meanwhile would be missed or counted twice.
    do {
      writing = entry?.writing;
      await writing;
      const pending = [...(entry?.pending ?? [])];
      growth = [...parseGrowth(await readFile(this.file(key), 'latin1').catch(() => '')), ...pending];
    } while (entry?.writing !== writing);
    const [stdout, stderr] = await Promise.all(
      streams.map((stream) => fileSize(this.paths.log(key, stream))),
    );
    return stretchesOf(growth, { stdout: stdout ?? 0, stderr: stderr ?? 0 });
  }

  /** Ends all looking, and resolves when all that was seen is in files. */
  async close(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    const entries = [...this.watched];
    this.watched.clear();
    for (const [key, entry] of entries) {
      if (entry.recorded || !isDefault(entry.pending)) this.flush(key, entry);
    }
    await Promise.all(entries.map(([, entry]) => entry.writing));
  }

  private file(key: AttemptKey): string {
    return `${this.paths.attempt(key)}.order`;
  }

  private entry(key: AttemptKey): Watched {
    let entry = this.watched.get(key);
    if (!entry) {
      entry = {
        running: false,
        followers: new Set(),
        pause: shortest,
        due: performance.now() + shortest,
        seen: null,
        pending: [],
        recorded: false,
        writing: Promise.resolve(),
      };
      this.watched.set(key, entry);
      this.wake(entry.due);
    }
    return entry;
  }

  private drop(key: AttemptKey, entry: Watched): void {
    const wanted = entry.running || entry.followers.size > 0;
    if (!wanted && this.watched.get(key) === entry) this.watched.delete(key);
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
        const grown = this.look(key, entry);
        const limit = entry.followers.size > 0 ? longestFollowed : longest;
        entry.pause = grown ? shortest : Math.min(entry.pause * slowdown, limit);
        entry.due = now + entry.pause;
        if (grown) for (const changed of entry.followers) changed();
        if (entry.pending.length >= maxPending) this.flush(key, entry);
      }
      next = Math.min(next, entry.due);
    }
    this.timer = null;
    this.next = Number.POSITIVE_INFINITY;
    this.wake(next);
  }

  /** Notes what has been written since the last look; false if nothing has. */
  private look(key: AttemptKey, entry: Watched): boolean {
    const sizes = {
      stdout: sizeNow(this.paths.log(key, 'stdout')),
      stderr: sizeNow(this.paths.log(key, 'stderr')),
    };
    if (sizes.stdout + sizes.stderr === 0) return false;
    entry.seen ??= this.recall(key, entry);
    let grown = false;
    for (const stream of streams) {
      const length = sizes[stream] - entry.seen[stream];
      if (length <= 0) continue;
      grown = true;
      entry.seen[stream] = sizes[stream];
      const last = entry.pending.at(-1);
      if (last?.stream === stream) last.length += length;
      else entry.pending.push({ stream, length });
    }
    return grown;
  }

  /** How far an earlier server has seen. */
  private recall(key: AttemptKey, entry: Watched): Sizes {
    const sizes: Sizes = { stdout: 0, stderr: 0 };
    let text = '';
    try {
      text = readFileSync(this.file(key), 'latin1');
    } catch {
      return sizes;
    }
    entry.recorded = true;
    for (const { stream, length } of parseGrowth(text)) sizes[stream] += length;
    return sizes;
  }

  private flush(key: AttemptKey, entry: Watched): void {
    if (entry.pending.length === 0) return;
    const text = entry.pending.map(({ stream, length }) => `${stream} ${length}\n`).join('');
    entry.pending = [];
    entry.recorded = true;
    entry.writing = entry.writing.then(() =>
      appendFile(this.file(key), text, { mode: 0o600 }).catch((error: Error) =>
        this.log(`The order of the output of attempt ${key} cannot be kept: ${error.message}`),
      ),
    );
  }
}

function sizeNow(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Whether this is what goes without saying: all of stdout, then all of stderr. */
function isDefault(growth: readonly Growth[]): boolean {
  return growth.length <= 1 || (growth.length === 2 && growth[0]?.stream === 'stdout');
}

/** Lines `STREAM LENGTH`; a torn last one is left out. */
function parseGrowth(text: string): Growth[] {
  return Array.from(text.matchAll(/^(stdout|stderr) (\d+)\n/gm), ([, stream, length]) => ({
    stream: stream as LogStream,
    length: Number(length),
  }));
}

/** Stretches as they grew, then what is beyond them: of stdout, then of stderr. */
export function stretchesOf(growth: readonly Growth[], sizes: Sizes): LogStretch[] {
  const stretches: LogStretch[] = [];
  const at: Sizes = { stdout: 0, stderr: 0 };
  const add = (stream: LogStream, wanted: number) => {
    const length = Math.min(wanted, sizes[stream] - at[stream]);
    if (length <= 0) return;
    const last = stretches.at(-1);
    if (last?.stream === stream) last.length += length;
    else stretches.push({ stream, offset: at[stream], length });
    at[stream] += length;
  };
  for (const { stream, length } of growth) add(stream, length);
  for (const stream of streams) add(stream, sizes[stream]);
  return stretches;
}
