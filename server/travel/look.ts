/** What has changed in the folder of a run on a host. Nothing that the host says is taken on trust. */
import type { HostWorkspace } from '../hosts/host.ts';
import { VbatchError } from '../protocol/errors.ts';
import { fromLatin1 } from '../workspace/disk.ts';
import { type Change, type Entry, folderEntry, type Manifest, sameEntry } from '../workspace/manifest.ts';
import { byPath, isGitPath, isLinkTarget, isSafePath } from '../workspace/paths.ts';
import { unfinished } from '../workspace/walk.ts';
import { callForLines } from './script.ts';

export interface Look {
  /** In the order of paths. */
  readonly changes: Change[];
  /** What is there and cannot be taken, as sentences. */
  readonly notes: string[];
  /** Nothing at all has been touched there. */
  readonly isQuiet: boolean;
}

/**
 * What has changed since the last look that was accepted. Throws as `callScript` does.
 *
 * @param holds what the folder held then
 * @param isBusy whether other tasks go on: what they have open for writing is passed over
 */
export async function look(
  workspace: HostWorkspace,
  run: number,
  holds: Manifest,
  isBusy = false,
): Promise<Look> {
  return readLook(await callForLines(workspace, { words: ['look', String(run), isBusy ? '1' : '0'] }), holds);
}

interface Line {
  readonly kind: string;
  readonly size: number;
  readonly executable: boolean;
  /** Null for what cannot be one in a folder. */
  readonly path: string | null;
  readonly target: string;
  /** Its name, about, where that or its target cannot be told by its line; else null. See workspace.sh. */
  readonly odd: string | null;
}

export function readLook(lines: readonly string[], holds: Manifest): Look {
  const there = lines.filter((line) => line.startsWith('+ ')).map(readLine);
  const gone = lines.filter((line) => line.startsWith('- ')).map(readLine);
  const hashes = lines.filter((line) => /^([0-9a-f]{64}|denied|gone)$/.test(line));
  const files = there.filter(({ kind }) => kind === 'f').length;
  if (files > 0 && hashes.length === 0)
    throw new VbatchError('refused', 'it has neither sha256sum nor shasum, so results cannot be fetched');
  if (hashes.length !== files) throw new VbatchError('refused', 'it does not tell what is in all files');
  const notes: string[] = [];
  const entries = new Map<string, Entry | null>();
  let at = 0;
  for (const line of there) {
    const { kind, path } = line;
    const hash = kind === 'f' ? (hashes[at++] as string) : '';
    if (line.odd !== null) {
      notes.push(`${line.odd} has a byte 1 or 2 in its name or target; it stays there`);
      continue;
    }
    if (hash === 'gone') continue;
    if (path === null) {
      notes.push('a name there leads out of the folder or cannot be one in it; what it names stays there');
      continue;
    }
    const entry = hash === 'denied' ? null : entryOf(line, hash);
    if (entry) entries.set(path, entry);
    else if (hash === 'denied') notes.push(`${path} cannot be read there and stays there`);
    else notes.push(`${path} is neither a file, a link nor a folder; it stays there`);
  }
  for (const { path } of gone) {
    if (path !== null && !entries.has(path) && holds.has(path)) entries.set(path, null);
  }
  const changes = [...entries]
    .filter(([path, entry]) => travels(path) && !sameEntry(entry, holds.get(path)))
    .map(([path, entry]) => ({ path, entry }))
    .sort((a, b) => byPath(a.path, b.path));
  return { changes, notes, isQuiet: lines.length === 0 };
}

/** What nobody asked for: what git keeps for itself, what Python keeps of its programs, files in the making. */
function travels(path: string): boolean {
  return !isGitPath(path) && !/(^|\/)__pycache__(\/|$)/.test(path) && !unfinished.test(path);
}

function readLine(line: string): Line {
  const [, kind = '', size, mode = '', rest = ''] = /^[+-] (\S) \S+ (\d+) \S+ (\d+) (.+)$/s.exec(line) ?? [];
  const text = rest.replaceAll('\u0001', '\n');
  const end = text.indexOf('//');
  const path = fromLatin1(end < 0 ? text : text.slice(0, end));
  const target = kind === 'l' && end >= 0 ? fromLatin1(text.slice(end + 2)) : '';
  const executable = (Number.parseInt(mode, 8) & 0o100) !== 0;
  const odd = text.includes('\u0002') ? path.replaceAll('\u0002', '?') : null;
  const isNamed = odd === null && isSafePath(path);
  return { kind, size: Number(size), executable, path: isNamed ? path : null, target, odd };
}

function entryOf({ kind, size, executable, target }: Line, hash: string): Entry | null {
  if (kind === 'f') return Number.isSafeInteger(size) ? { kind: 'file', hash, size, executable } : null;
  if (kind === 'd') return folderEntry;
  if (kind === 'l' && isLinkTarget(target)) return { kind: 'link', target };
  return null;
}
