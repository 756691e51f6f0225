/**
 * What the server keeps for ever: a journal of events and, from time to time, a snapshot of the
 * state that they make, so that the journal need not grow without end. Knows neither events nor
 * records.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Low } from 'lowdb';
import { VbatchError } from '../protocol/errors.ts';
import { Cut } from './cut.ts';
import { ioFailure, syncFolder } from './files.ts';
import { Journal } from './journal.ts';
import { type Folders, type Loaded, type Loader, load } from './load.ts';
import { acquireLock, type Lock } from './lock.ts';
import { dropSegments } from './recovery.ts';
import { emptySnapshot, type Snapshot, SnapshotFolder } from './snapshot.ts';

/** The state in memory, as far as snapshots of it need it. */
export interface Source<Key> {
  /** A small JSON value about the whole, as it is now. */
  header(): unknown;
  /** The keys of all records that there are now. */
  keys(): Iterable<Key>;
  /** The record of this key, as it is now, as a JSON value. */
  record(key: Key): unknown;
}

export interface StoreOptions<Event, Key, Header, Row> {
  /** The state folder. Made, for its owner alone, if it does not exist. */
  folder: string;
  contents: Source<Key> & Loader<Event, Header, Row>;
  /** Told, in a sentence, what an operator should know and nobody waits for. */
  report: (message: string) => void;
  /** Bytes of journal that never cause a snapshot; the size of the last snapshot does not either. */
  compactAfter?: number;
}

const COMPACT_AFTER = 16 * 1024 * 1024;

/**
 * Opens a state folder and brings its contents back. Throws `refused` if another server has it, and
 * `stateFailed`, having changed nothing, if it is damaged.
 */
export async function openStore<Event, Key, Header, Row>(
  options: StoreOptions<Event, Key, Header, Row>,
): Promise<Store<Event, Key>> {
  const { folder, contents, report, compactAfter = COMPACT_AFTER } = options;
  const folders = { snapshots: join(folder, 'snapshots'), journal: join(folder, 'journal') };
  const lock = await acquireLock(folder);
  try {
    for (const path of Object.values(folders)) await mkdir(path, { recursive: true, mode: 0o700 });
    await syncFolder(folder);
    const snapshots = new SnapshotFolder(folders.snapshots);
    await snapshots.removeUnfinished();
    const low = new Low<Snapshot>(snapshots, emptySnapshot);
    const loaded = await load(folders, low, contents, report);
    const journal = new Journal<Event>({ folder: folders.journal, last: loaded.last, report });
    return new Store({
      folders,
      source: contents,
      report,
      compactAfter,
      lock,
      snapshots,
      low,
      loaded,
      journal,
    });
  } catch (error) {
    await lock.release();
    throw ioFailure(
      error,
      `Opening the state folder ${folder} failed`,
      'Check its permissions and the disk.',
    );
  }
}

interface Parts<Event, Key> {
  readonly folders: Folders;
  readonly source: Source<Key>;
  readonly report: (message: string) => void;
  readonly compactAfter: number;
  readonly lock: Lock;
  readonly snapshots: SnapshotFolder;
  readonly low: Low<Snapshot>;
  readonly loaded: Loaded;
  readonly journal: Journal<Event>;
}

export class Store<Event, Key> {
  private cut: Cut<Key> | null = null;
  private compaction: Promise<void> | null = null;
  private closing = false;
  /** The last event that is in a snapshot. */
  private compacted: number;
  /** Size of the journal at which the next snapshot is due. */
  private compactAt: number;

  constructor(private readonly parts: Parts<Event, Key>) {
    this.compacted = parts.loaded.snapshot;
    this.compactAt = this.allowance() - parts.loaded.bytes;
  }

  /** Sequence of the last event that was appended, durable or not. 0 before the first. */
  get sequence(): number {
    return this.parts.journal.sequence;
  }

  /** Why nothing becomes durable at present: `diskFull` may pass, `stateFailed` is for ever. */
  get problem(): VbatchError | null {
    return this.parts.journal.problem;
  }

  /**
   * Takes an event and returns its sequence. The state must change by it in the same turn of the
   * event loop, because a snapshot is taken between turns. Throws once the journal has failed.
   */
  append(event: Event): number {
    const { journal } = this.parts;
    const sequence = journal.append(event);
    if (journal.size >= this.compactAt) {
      this.compactAt = Number.POSITIVE_INFINITY;
      setImmediate(() => {
        if (!this.closing) void this.compactOrReport();
      });
    }
    return sequence;
  }

  /** Resolves when this event is safe on the disk; rejects once it can never be. */
  durable(sequence: number): Promise<void> {
    return this.parts.journal.durable(sequence);
  }

  /** Must be called before a record changes or is removed, so that a snapshot under way gets its old form. */
  beforeChange(key: Key): void {
    this.cut?.beforeChange(key);
  }

  /**
   * Writes a snapshot of the state as it is now and removes what it makes superfluous. Happens by
   * itself when the journal has grown enough. While one is under way, waits for that instead.
   */
  compact(): Promise<void> {
    this.compaction ??= this.writeSnapshot().finally(() => {
      this.compaction = null;
    });
    return this.compaction;
  }

  /** Makes all durable, leaves a snapshot of it, and lets the next server in. Rejects if not all is safe. */
  async close(): Promise<void> {
    const { journal, lock } = this.parts;
    this.closing = true;
    journal.endPatience();
    try {
      await this.compaction?.catch(() => {});
      if (this.problem === null) await this.compactOrReport();
      await journal.close();
    } finally {
      await lock.release();
    }
  }

  /** The journal has everything, so a snapshot that fails is only worth telling. */
  private async compactOrReport(): Promise<void> {
    try {
      await this.compact();
    } catch (error) {
      // What is no expected failure is a defect, for which the stack is wanted.
      const text = error instanceof VbatchError ? error.message : String((error as Error).stack);
      this.parts.report(text);
    }
  }

  private async writeSnapshot(): Promise<void> {
    const { journal, source, low, snapshots, folders } = this.parts;
    const { sequence, size } = journal;
    if (sequence === this.compacted) return;
    const cut = new Cut(source.keys(), (key) => source.record(key));
    const header = source.header();
    this.cut = cut;
    try {
      await journal.rotate();
      low.data = { sequence, header, count: cut.count, records: cut };
      await low.write();
      this.compacted = sequence;
      this.compactAt = size + this.allowance();
      await dropSegments(folders.journal, await snapshots.dropOld());
    } catch (error) {
      this.compactAt = journal.size + this.parts.compactAfter;
      throw error;
    } finally {
      this.cut = null;
      low.data = emptySnapshot;
    }
  }

  private allowance(): number {
    return Math.max(this.parts.compactAfter, this.parts.snapshots.size);
  }
}
