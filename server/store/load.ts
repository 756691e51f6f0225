/** Brings back what a state folder holds: the newest snapshot, then the journal since. */
import type { Low } from 'lowdb';
import { VbatchError } from '../protocol/errors.ts';
import { sequenceFiles } from './files.ts';
import { DamagedFile } from './lines.ts';
import { type Replayed, reachesBack, readJournal } from './recovery.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';

/** Whoever holds the state in memory, as far as loading needs it. */
export interface Loader<Event, Header, Row> {
  /** Called first, if there is a snapshot at all. */
  restoreHeader(header: Header): void;
  /** Called with each record of the snapshot, in the order in which they were written. */
  restore(record: Row): void;
  /** Called with each event since the snapshot, in order. */
  replay(event: Event, sequence: number): void;
}

export interface Folders {
  readonly snapshots: string;
  readonly journal: string;
}

export interface Loaded extends Replayed {
  /** Sequence of the snapshot; 0 if there was none. */
  snapshot: number;
}

/** Reads everything into the loader. Throws `stateFailed` with advice if anything is damaged or missing. */
export async function load<Event, Header, Row>(
  folders: Folders,
  low: Low<Snapshot>,
  loader: Loader<Event, Header, Row>,
  report: (message: string) => void,
): Promise<Loaded> {
  try {
    await low.read();
    if (low.data.sequence > 0) loader.restoreHeader(low.data.header as Header);
    for await (const record of low.data.records) loader.restore(JSON.parse(record) as Row);
  } catch (error) {
    throw error instanceof DamagedFile ? await withAdvice(error, folders) : error;
  }
  const snapshot = low.data.sequence;
  const replayed = await readJournal(
    folders.journal,
    snapshot,
    (event, sequence) => loader.replay(event as Event, sequence),
    report,
  );
  return { ...replayed, snapshot };
}

/** Says from what the state can be had without the damaged snapshot, having looked whether it can. */
async function withAdvice(damage: DamagedFile, folders: Folders): Promise<VbatchError> {
  const older = (await sequenceFiles(folders.snapshots)).filter((file) => file.path !== damage.path).at(-1);
  const isGood = older === undefined || (await isUndamaged(older.path));
  const isEnough = isGood && (await reachesBack(folders.journal, older?.sequence ?? 0));
  const begin =
    older === undefined ? 'There is no older one, but the' : `The last good one is ${older.path}, and the`;
  const advice = isEnough
    ? `${begin} journal in ${folders.journal} holds every event since: move the damaged file away and start again, and nothing is lost.`
    : 'No older one is good and complete: restore the state folder from a backup, or move it away to start with none.';
  return new VbatchError('stateFailed', `The snapshot ${damage.message}. ${advice}`);
}

async function isUndamaged(path: string): Promise<boolean> {
  try {
    const { records } = await readSnapshot(path);
    for await (const _ of records);
    return true;
  } catch (error) {
    if (error instanceof DamagedFile) return false;
    throw error;
  }
}
