/** Reads the journal back: every event after a sequence, in order, or a clear error. */
import { open, rm } from 'node:fs/promises';
import { VbatchError } from '../protocol/errors.ts';
import { type SequenceFile, sequenceFiles } from './files.ts';
import { DamagedFile, type Line, parseHeader, readLines, wholeLine } from './lines.ts';

export interface Replayed {
  /** Sequence of the journal's last event, or `after` where it has none. */
  last: number;
  /** Size of the events that were visited. */
  bytes: number;
}

/**
 * Calls `visit` with each event after sequence `after`. An incomplete last line, as an interrupted
 * write leaves it, is cut off its file and reported. Anything else that is not as it was written
 * throws `stateFailed` and changes nothing on disk: a line that does not match its checksum, an
 * event or a file that is missing.
 */
export async function readJournal(
  folder: string,
  after: number,
  visit: (event: unknown, sequence: number) => void,
  report: (message: string) => void,
): Promise<Replayed> {
  const segments = await segmentsAfter(folder, after);
  let next = segments[0]?.sequence ?? after + 1;
  let bytes = 0;
  const take = (path: string, line: Line) => {
    const event = parseEvent(path, line, next);
    if (next > after) {
      visit(event, next);
      bytes += line.length;
    }
    next += 1;
  };
  for (const segment of segments) {
    if (segment.sequence !== next) throw missing(folder, next, segment);
    const isLast = segment === segments.at(-1);
    const torn = await readSegment(segment.path, isLast, take);
    if (torn !== null) await cutOff(segment.path, torn, report);
  }
  if (segments.length > 0 && next <= after) throw tooShort(folder, next - 1, after);
  return { last: next - 1, bytes };
}

/** Calls `take` with each line of events. Returns the incomplete last line of the last segment, if any. */
async function readSegment(
  path: string,
  isLast: boolean,
  take: (path: string, line: Line) => void,
): Promise<Line | null> {
  try {
    for await (const lines of readLines(path)) {
      for (const line of lines) {
        if (isLast && !line.ended) return line;
        if (line.number === 1) parseHeader(path, 'journal', line);
        else take(path, line);
      }
    }
    return null;
  } catch (error) {
    throw error instanceof DamagedFile ? withAdvice(error, isLast) : error;
  }
}

/** Whether every event after this sequence is in the journal, as far as the names of its files tell. */
export async function reachesBack(folder: string, after: number): Promise<boolean> {
  const first = (await sequenceFiles(folder))[0];
  return first !== undefined && first.sequence <= after + 1;
}

/** Removes the segments that hold no event after this sequence. The newest one always stays. */
export async function dropSegments(folder: string, through: number): Promise<void> {
  const segments = await sequenceFiles(folder);
  for (const [i, segment] of segments.entries()) {
    const following = segments[i + 1];
    if (following !== undefined && following.sequence <= through + 1) await rm(segment.path);
  }
}

/** The segments to read for what comes after this sequence: the first may begin earlier. */
async function segmentsAfter(folder: string, after: number): Promise<SequenceFile[]> {
  const segments = await sequenceFiles(folder);
  const first = segments.findLastIndex((segment) => segment.sequence <= after + 1);
  if (first === -1 && segments[0] !== undefined) throw missing(folder, after + 1, segments[0]);
  return segments.slice(Math.max(first, 0));
}

/** Throws `DamagedFile` unless the line holds the event of this sequence. */
function parseEvent(path: string, line: Line, sequence: number): unknown {
  const [found, event] = JSON.parse(wholeLine(path, line)) as [number, unknown];
  if (found !== sequence) {
    const what = `line ${line.number} (byte ${line.offset}) holds event ${found} where event ${sequence} belongs`;
    throw new DamagedFile(path, line.offset, what);
  }
  return event;
}

async function cutOff(path: string, torn: Line, report: (message: string) => void): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.truncate(torn.offset);
    await file.sync();
  } finally {
    await file.close();
  }
  report(
    `An interrupted write had left ${torn.length} bytes of an incomplete event at the end of ${path}; they were cut off.`,
  );
}

function withAdvice(damage: DamagedFile, isLast: boolean): VbatchError {
  const others = isLast ? '' : ' and remove the later files of that folder';
  return new VbatchError(
    'stateFailed',
    `The journal ${damage.message}. Restore the state folder from a backup; or, to give up all that was recorded from there on, run "truncate -s ${damage.offset} ${damage.path}"${others}.`,
  );
}

function missing(folder: string, next: number, found: SequenceFile): VbatchError {
  return new VbatchError(
    'stateFailed',
    `The journal in ${folder} lacks the events ${next} to ${found.sequence - 1}: no file holds them, and ${found.path} begins after them. Restore the missing file from a backup.`,
  );
}

function tooShort(folder: string, last: number, after: number): VbatchError {
  return new VbatchError(
    'stateFailed',
    `The journal in ${folder} ends with event ${last}, but the snapshot was taken at event ${after}: the end of the journal is missing. Restore it from a backup; or, to go on from the snapshot, move the files of that folder away.`,
  );
}
