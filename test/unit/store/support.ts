/** What the tests of the store share: temporary folders, a model of a state, a disk that can fail. */
import { cp, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Journal, JournalFile } from '../../../server/store/journal.ts';
import type { Loader } from '../../../server/store/load.ts';
import { readJournal } from '../../../server/store/recovery.ts';
import type { Source } from '../../../server/store/store.ts';

/** Runs the test with a folder of its own, which is removed afterwards. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vbatch-store-'));
  try {
    await test(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the test with a copy of a state folder, locks left out: what a killed server leaves behind. */
export async function withCopy<Result>(
  folder: string,
  use: (copy: string) => Promise<Result>,
): Promise<Result> {
  const copy = `${folder}-copy`;
  const filter = (path: string) => !path.startsWith(join(folder, 'lock'));
  await cp(folder, copy, { recursive: true, filter });
  try {
    return await use(copy);
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** Every file below the folder, by its path in it. Sockets are left out. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) contents[path.slice(folder.length + 1)] = await readFile(path, 'latin1');
  }
  return contents;
}

/** The events of a journal after a sequence, and what was reported on the way. */
export async function replayed(folder: string, after = 0) {
  const events: unknown[] = [];
  const sequences: number[] = [];
  const reports: string[] = [];
  const { last, bytes } = await readJournal(
    folder,
    after,
    (event, sequence) => {
      events.push(event);
      sequences.push(sequence);
    },
    (message) => reports.push(message),
  );
  return { events, sequences, reports, last, bytes };
}

/** Appends each event and waits until all are durable. */
export async function record<Event>(journal: Journal<Event>, events: readonly Event[]): Promise<void> {
  for (const event of events) journal.append(event);
  await journal.durable(journal.sequence);
}

export type Change = { key: string; value: number | null };

/** A small state: numbers by name; null removes one. Counts its changes in the header. */
export class Numbers
  implements Source<string>, Loader<Change, { changes: number }, { key: string; value: number }>
{
  readonly values = new Map<string, number>();
  changes = 0;
  beforeChange: (key: string) => void = () => {};

  apply({ key, value }: Change): void {
    this.beforeChange(key);
    this.changes += 1;
    if (value === null) this.values.delete(key);
    else this.values.set(key, value);
  }

  /** Comparable with that of another one. */
  get form() {
    return { changes: this.changes, values: Object.fromEntries(this.values) };
  }

  header() {
    return { changes: this.changes };
  }
  keys() {
    return this.values.keys();
  }
  record(key: string) {
    const value = this.values.get(key);
    return value === undefined ? undefined : { key, value };
  }
  restoreHeader(header: { changes: number }) {
    this.changes = header.changes;
  }
  restore({ key, value }: { key: string; value: number }) {
    this.values.set(key, value);
  }
  replay(event: Change) {
    this.apply(event);
  }
}

/** An error as the system gives it. */
export function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: made to fail, ${syscall}`), { code, syscall });
}

/** Makes files on which a test decides what each call does before it does it. */
export class FaultyDisk {
  writes = 0;
  syncs = 0;
  /** Awaited before each write: returns how many of the bytes go through, or throws. */
  beforeWrite: (length: number) => Promise<number> | number = (length) => length;
  beforeSync: () => Promise<void> | void = () => {};
  beforeCreate: () => void = () => {};

  readonly createFile = async (path: string): Promise<JournalFile> => {
    this.beforeCreate();
    const file = await open(path, 'w');
    const write = async (bytes: Buffer, offset: number, length: number, position: number) => {
      this.writes += 1;
      return await file.write(bytes, offset, await this.beforeWrite(length), position);
    };
    return {
      write: write as JournalFile['write'],
      datasync: async () => {
        this.syncs += 1;
        await this.beforeSync();
        await file.datasync();
      },
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  };
}
