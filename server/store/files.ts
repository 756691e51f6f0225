/** What the files of the state folder have in common: names by sequence, durable names, IO errors. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VbatchError } from '../protocol/errors.ts';

export interface SequenceFile {
  path: string;
  /** What its name says: the first event of a journal segment, the last event in a snapshot. */
  sequence: number;
}

/** Path of the file for this sequence: `FOLDER/000000000042.ndjson`. */
export function sequencePath(folder: string, sequence: number): string {
  return join(folder, `${String(sequence).padStart(12, '0')}.ndjson`);
}

/** All such files of a folder, lowest sequence first. */
export async function sequenceFiles(folder: string): Promise<SequenceFile[]> {
  const files: SequenceFile[] = [];
  for (const name of await readdir(folder)) {
    const digits = /^(\d{12,})\.ndjson$/.exec(name)?.[1];
    if (digits !== undefined) files.push({ path: join(folder, name), sequence: Number(digits) });
  }
  return files.sort((a, b) => a.sequence - b.sequence);
}

/**
 * Makes created, renamed and removed names in this folder survive a power cut. Windows does not let a folder be
 * synced; NTFS has names in a journal of its own.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** No room left: the disk is full, or the user's quota on it is. */
export function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** `ENOENT` and the like where the system refused something, else undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined;
}

/**
 * The error to show where the system refused something; any other error unchanged.
 *
 * @param failed what did not work, as the beginning of a sentence
 * @param advice what to do about it unless the disk is full, as a sentence
 */
export function ioFailure(error: unknown, failed: string, advice: string): unknown {
  if (!(error instanceof Error) || errorCode(error) === undefined) return error;
  return isDiskFull(error)
    ? new VbatchError('diskFull', `${failed}: ${error.message}. Free some space there.`)
    : new VbatchError('stateFailed', `${failed}: ${error.message}. ${advice}`);
}
