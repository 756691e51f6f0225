/** Brings what a run made into the folder that it was submitted from. */
import { VbatchError } from '../protocol/errors.ts';
import { type Disk, fromLatin1, type Read } from './disk.ts';
import { type Landing, land } from './landing.ts';
import { diff, type Entry, type Manifest, manifestOf } from './manifest.ts';
import { foldersOf, isPathHere, within } from './paths.ts';
import { fileEntry, inOrder, NoLinks, place } from './place.ts';
import type { ContentStore } from './store.ts';

/** How often it is tried while a person changes the very same files. */
const TRIES = 5;
/** Paths to look at together. */
const BATCH = 64;

/**
 * Writes what `land` says. Doing it again after it was cut short goes on where it was. Throws `VbatchError` where
 * something cannot be written; what was written before stays.
 *
 * @param root absolute path of the folder
 */
export async function bring(
  store: ContentStore,
  root: string,
  base: Manifest,
  result: Manifest,
  suffix: string,
): Promise<Landing> {
  for (let tries = 0; tries < TRIES; tries++) {
    const landing = await plan(store.disk, root, base, result, suffix);
    let isDone = true;
    for (const { path, entry, replaces } of inOrder(landing.writes)) {
      try {
        isDone = (await place(store, root, path, entry, replaces)) && isDone;
      } catch (error) {
        if (!(error instanceof NoLinks)) throw error;
        landing.withheld.push({ path, why: 'it is a link, and this system lets you make none' });
      }
    }
    if (isDone) return landing;
  }
  throw new VbatchError('refused', `The files in ${root} changed whenever results were to be written there.`);
}

/** What `land` says of the folder as it is now. Only the paths that matter are looked at, ignored or not. */
async function plan(
  disk: Disk,
  root: string,
  base: Manifest,
  result: Manifest,
  suffix: string,
): Promise<Landing> {
  const seen = new Map<string, Entry | null>();
  let paths = diff(base, result).flatMap(({ path, entry }) => (entry && isPathHere(path) ? [path] : []));
  for (;;) {
    await look(disk, root, paths, seen, [base, result]);
    const local = manifestOf([...seen].flatMap(([path, entry]) => (entry ? [[path, entry] as const] : [])));
    const landing = land(base, local, result, suffix, isPathHere);
    paths = landing.writes.map(({ path }) => path).filter((path) => !seen.has(path));
    if (paths.length === 0) return landing;
  }
}

async function look(
  disk: Disk,
  root: string,
  paths: readonly string[],
  seen: Map<string, Entry | null>,
  known: readonly Manifest[],
) {
  const wanted = [...new Set(paths.flatMap((path) => [...foldersOf(path), path]))].filter(
    (path) => !seen.has(path),
  );
  for (let start = 0; start < wanted.length; start += BATCH) {
    const batch = wanted.slice(start, start + BATCH);
    const read = await disk.hash(batch.map((path) => within(root, path)));
    for (const [index, path] of batch.entries()) {
      const alike = known.map((manifest) => manifest.get(path));
      seen.set(path, entryOf(read[index] as Read, alike));
    }
  }
  // What is behind a link is not in the folder.
  for (const path of wanted) {
    const isBehind = [...foldersOf(path)].some((folder) => seen.get(folder)?.kind !== 'folder');
    if (isBehind) seen.set(path, null);
  }
}

/** What cannot be read is a person's own: it is unlike anything, so it stays. */
function entryOf(read: Read, known: readonly (Entry | undefined)[]): Entry | null {
  switch (read.kind) {
    case 'file':
      return fileEntry(read, known);
    case 'link':
      return { kind: 'link', target: fromLatin1(read.target) };
    case 'folder':
      return { kind: 'folder' };
    case 'gone':
      return null;
    case 'busy':
    case 'denied':
    case 'special':
      return { kind: 'link', target: '' };
  }
}
