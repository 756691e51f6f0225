/**
 * Whose configuration is obeyed. Its `setup` lines run as whoever runs the server, so what counts is
 * that nobody else can have written it. The owner decides, as for git's safe.directory and for ssh's
 * own files: ownership cannot be forged, so no folder further up needs a look.
 */
import type { Stats } from 'node:fs';

/** Who obeys the files: effective user and group. */
export interface Reader {
  uid: number;
  gid: number;
}

type Ownership = Pick<Stats, 'uid' | 'gid' | 'mode'>;

const writableByGroup = 0o020;
const writableByAll = 0o002;

/** Who obeys the files that this process reads; null on Windows, whose files have no such owner. */
export function thisProcess(): Reader | null {
  const { geteuid, getegid } = process;
  return geteuid === undefined || getegid === undefined ? null : { uid: geteuid(), gid: getegid() };
}

/**
 * Why somebody else may have written a file, or made a folder, as a clause, and what to do about it;
 * null where only `reader` and root can have. The reader's own group may write: where each person has
 * a group to themselves, the usual umask lets it.
 */
export function distrust(
  { uid, gid, mode }: Ownership,
  reader: Reader,
): { reason: string; remedy: string } | null {
  if (uid !== reader.uid && uid !== 0) {
    return { reason: `belongs to user ${uid}`, remedy: 'make it yours with "chown"' };
  }
  if ((mode & writableByAll) !== 0) {
    return { reason: 'can be changed by everybody', remedy: 'forbid it with "chmod o-w"' };
  }
  if ((mode & writableByGroup) !== 0 && gid !== reader.gid) {
    return { reason: `can be changed by group ${gid}`, remedy: 'forbid it with "chmod g-w"' };
  }
  return null;
}
