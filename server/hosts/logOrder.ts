/**
 * In which order stdout and stderr were written (R36). They are two files, so this is found by looking
 * at both sizes again and again: what has grown since the last look was written after what was there.
 */
import { readFileSync, statSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import type { HostPaths } from './files.ts';
import type { AttemptKey, LogStream, LogStretch } from './host.ts';
import { fileSize } from './localFiles.ts';

export const streams = ['stdout', 'stderr'] as const;
type Sizes = Record<LogStream, number>;

/** That a stream was seen to have grown by so many bytes. */
interface Growth {
  stream: LogStream;
  length: number;
}

/** Stretches are kept in memory up to this many, then appended to the attempt's .order file. */
const maxPending = 256;

interface Noted {
  /** Sizes when last looked at. */
  seen: Sizes;
  /** What was seen and is not yet in the file; neighbours are of different streams. */
  pending: Growth[];
  /** Whether the file holds anything, or soon will. */
  recorded: boolean;
  writing: Promise<void>;
}

/** The order of the output of attempts whose files are on this machine. */
export class LogOrder {
  private readonly noted = new Map<AttemptKey, Noted>();

  constructor(
    private readonly paths: HostPaths,
    private readonly log: (message: string) => void,
  ) {}

  /** Looks, and notes what has been written since the last look; false if nothing has. */
  note(key: AttemptKey): boolean {
    const sizes = {
      stdout: sizeNow(this.paths.log(key, 'stdout')),
      stderr: sizeNow(this.paths.log(key, 'stderr')),
    };
    if (sizes.stdout + sizes.stderr === 0) return false;
    const entry = this.noted.get(key) ?? this.recall(key);
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
    if (entry.pending.length >= maxPending) this.flush(key, entry);
    return grown;
  }

  /** The attempt's streams have their final sizes. */
  ended(key: AttemptKey): void {
    const entry = this.noted.get(key);
    if (!entry) return;
    this.note(key);
    if (entry.recorded || !isDefault(entry.pending)) this.flush(key, entry);
    // Until it is in the file, what was seen is here only.
    void entry.writing.then(() => {
      if (this.noted.get(key) === entry) this.noted.delete(key);
    });
  }

  /** Forgets what is not in the file yet. */
  forget(key: AttemptKey): void {
    this.noted.delete(key);
  }

  /**
   * The stretches up to the streams' present sizes. While this looks at them, what was told once stays as it is:
   * more is only added.
   */
  async stretches(key: AttemptKey): Promise<LogStretch[]> {
    if (this.noted.has(key)) this.note(key);
    const entry = this.noted.get(key);
    let writing: Promise<void> | undefined;
    let growth: Growth[];
    let seen: Sizes | undefined;
    // What moves from memory to the file meanwhile would be missed or counted twice.
    do {
      writing = entry?.writing;
      await writing;
      const pending = (entry?.pending ?? []).map((one) => ({ ...one }));
      seen = entry && { ...entry.seen };
      growth = [...parseGrowth(await readFile(this.file(key), 'latin1').catch(() => '')), ...pending];
    } while (entry?.writing !== writing);
    // What has been written since may yet be seen in another order.
    if (seen) return stretchesOf(growth, seen);
    const [stdout, stderr] = await Promise.all(
      streams.map((stream) => fileSize(this.paths.log(key, stream))),
    );
    return stretchesOf(growth, { stdout: stdout ?? 0, stderr: stderr ?? 0 });
  }

  /** Resolves when all that was seen is in files. */
  async close(): Promise<void> {
    const entries = [...this.noted];
    this.noted.clear();
    for (const [key, entry] of entries) {
      if (entry.recorded || !isDefault(entry.pending)) this.flush(key, entry);
    }
    await Promise.all(entries.map(([, entry]) => entry.writing));
  }

  private file(key: AttemptKey): string {
    return `${this.paths.attempt(key)}.order`;
  }

  /** Begins with how far an earlier server has seen. */
  private recall(key: AttemptKey): Noted {
    const entry: Noted = {
      seen: { stdout: 0, stderr: 0 },
      pending: [],
      recorded: false,
      writing: Promise.resolve(),
    };
    this.noted.set(key, entry);
    let text = '';
    try {
      text = readFileSync(this.file(key), 'latin1');
    } catch {
      return entry;
    }
    entry.recorded = true;
    for (const { stream, length } of parseGrowth(text)) entry.seen[stream] += length;
    return entry;
  }

  private flush(key: AttemptKey, entry: Noted): void {
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
