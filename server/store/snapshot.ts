/**
 * Snapshots of the whole state, one file each, named by the last event they contain. Read and
 * written through lowdb, with an adapter of our own: lowdb's writes everything in one go, which
 * blocks the process for half a second at 100,000 tasks, and syncs nothing.
 */
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Adapter } from 'lowdb';
import { replaceFile } from '../replaceFile.ts';
import { ioFailure, sequenceFiles, sequencePath, syncFolder } from './files.ts';
import { DamagedFile, encodeHeader, encodeLine, parseHeader, readLines, wholeLine } from './lines.ts';

export interface Snapshot {
  /** The last event that it contains. */
  sequence: number;
  /** A small JSON value about the whole. */
  header: unknown;
  /** How many records there are. */
  count: number;
  /** The records as JSON texts. Can be read once; what is read from a file is checked on the way. */
  records: Iterable<string> | AsyncIterable<string>;
}

/** The state before the first event. */
export const emptySnapshot: Snapshot = { sequence: 0, header: null, count: 0, records: [] };

/** Characters that are encoded and written in one go: about a millisecond's work. */
const SLICE_SIZE = 64 * 1024;
/** Bytes after which the disk is made to catch up: the journal's syncs wait for what is ahead of them. */
const SYNC_SIZE = 1024 * 1024;

export class SnapshotFolder implements Adapter<Snapshot> {
  /** Bytes of the snapshot that was read or written last. */
  size = 0;

  constructor(private readonly folder: string) {}

  /** The newest snapshot; null if there is none. Throws `DamagedFile`, also while records are read. */
  async read(): Promise<Snapshot | null> {
    const newest = (await sequenceFiles(this.folder)).at(-1);
    if (newest === undefined) return null;
    this.size = (await stat(newest.path)).size;
    return await readSnapshot(newest.path);
  }

  /** Writes a snapshot beside the others. Until it is whole and safe on the disk it does not count. */
  async write(snapshot: Snapshot): Promise<void> {
    const path = sequencePath(this.folder, snapshot.sequence);
    const temporary = `${path}.tmp`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        this.size = await writeSnapshot(file, snapshot);
        await file.sync();
      } finally {
        await file.close();
      }
      replaceFile(temporary, path);
      await syncFolder(this.folder);
    } catch (error) {
      await rm(temporary, { force: true });
      throw ioFailure(error, `Writing a snapshot in ${this.folder} failed`, 'Check the disk.');
    }
  }

  /**
   * Removes all but the two newest snapshots. Returns the sequence of the older one: the journal
   * must go back to it, so that the newest can be lost without loss. 0 if there is one at most.
   */
  async dropOld(): Promise<number> {
    const files = await sequenceFiles(this.folder);
    for (const file of files.slice(0, -2)) await rm(file.path);
    return files.at(-2)?.sequence ?? 0;
  }

  /** Removes what a killed server had not finished writing. */
  async removeUnfinished(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (name.endsWith('.tmp')) await rm(join(this.folder, name));
    }
  }
}

/** Returns the size in bytes. */
async function writeSnapshot(file: FileHandle, snapshot: Snapshot): Promise<number> {
  const { sequence, count, header } = snapshot;
  let slice = encodeHeader('snapshot', { sequence, count, header });
  let size = 0;
  let synced = 0;
  for await (const record of snapshot.records) {
    slice += encodeLine(record);
    if (slice.length < SLICE_SIZE) continue;
    const bytes = Buffer.from(slice);
    slice = '';
    await file.appendFile(bytes);
    size += bytes.length;
    if (size - synced < SYNC_SIZE) continue;
    await file.datasync();
    synced = size;
  }
  await file.appendFile(slice);
  return size + Buffer.byteLength(slice);
}

/** Opens the snapshot in this file. Throws `DamagedFile`, also while its records are read. */
export async function readSnapshot(path: string): Promise<Snapshot> {
  for await (const [line] of readLines(path)) {
    if (line === undefined) continue;
    const { sequence, count, header } = parseHeader(path, 'snapshot', line);
    if (typeof sequence !== 'number' || typeof count !== 'number') break;
    return { sequence, count, header, records: readRecords(path, count) };
  }
  throw new DamagedFile(path, 0, 'it has no first line that says what it holds');
}

async function* readRecords(path: string, count: number): AsyncGenerator<string, void> {
  let found = -1;
  for await (const lines of readLines(path)) {
    for (const line of lines) {
      const record = wholeLine(path, line);
      found += 1;
      if (found > 0) yield record;
    }
  }
  if (found !== count) throw new DamagedFile(path, 0, `it holds ${found} records instead of ${count}`);
}
