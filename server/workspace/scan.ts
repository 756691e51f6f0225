/** What a folder on this machine holds, as a manifest. */
import { VbatchError } from '../protocol/errors.ts';
import { Breather } from './breather.ts';
import { type Disk, type FoundFile, fromLatin1, type Read } from './disk.ts';
import { ioFailure } from './failures.ts';
import type { HashCache } from './hashCache.ts';
import { type Entry, folderEntry, type Manifest } from './manifest.ts';
import { byPath, within } from './paths.ts';
import { Sizes } from './sizes.ts';
import { type Note, type WalkedFolder, walk } from './walk.ts';

export interface ScanOptions {
  /** Whether `.git` is part of it. */
  readonly git: boolean;
  readonly maxFiles: number;
  readonly maxBytes: number;
}

export interface Scan {
  readonly manifest: Manifest;
  /** What is there and could not be taken, in the order of paths. */
  readonly notes: readonly Note[];
}

/** Reads files for a scan. */
export interface Reader {
  /** Whether a file need not be read whose hash is known. */
  has(hash: string, size: number): boolean;
  /** Absolute paths. */
  read(files: readonly { path: string; size: number }[]): Promise<Read[]>;
}

/** A reader that keeps nothing of what it reads. */
export function hashing(disk: Disk): Reader {
  return { has: () => true, read: (files) => disk.hash(files.map(({ path }) => path)) };
}

/** Files to read at a time: not many, and not much. */
const BATCH_FILES = 64;
const BATCH_BYTES = 16 * 1024 * 1024;

type Draft = Map<string, Entry>;
type PendingFile = FoundFile & { path: string };

/**
 * The folder as it is now. Only files are read that the cache does not know or the reader does not have. With a
 * content store as the reader, all that the manifest names is in the store afterwards, and is what the manifest
 * says, whatever happens to the folder meanwhile. Throws `VbatchError` where the folder is too large or cannot be
 * read, and where a file changed whenever it was read.
 *
 * @param folder absolute path
 */
export async function scan(
  disk: Disk,
  folder: string,
  cache: HashCache,
  reader: Reader,
  options: ScanOptions,
): Promise<Scan> {
  const sizes = new Sizes(folder, options.maxFiles, options.maxBytes);
  const { top, notes } = await walk(disk, folder, options.git, (path, size) => sizes.add(path, size)).catch(
    (error: unknown) => {
      throw ioFailure(error, `Cannot read the folder ${folder}`, 'Look at its owner and permissions.');
    },
  );
  sizes.check();

  const draft: Draft = new Map();
  const pending = await arrange(top, cache, reader, draft);
  const found: Note[] = [];
  const batches = inBatches(pending);
  await Promise.all(
    Array.from({ length: disk.workers }, async () => {
      for (let batch = batches.pop(); batch; batch = batches.pop()) {
        const read = await reader.read(batch.map(({ path, size }) => ({ path: within(folder, path), size })));
        for (const [index, { path }] of batch.entries()) {
          settle(folder, path, read[index] as Read, draft, cache, found);
        }
      }
    }),
  );
  await cache.save();
  return { manifest: draft, notes: [...notes, ...found].sort((a, b) => byPath(a.path, b.path)) };
}

/** Puts all that was walked into the draft, in order. Gives the files that have to be read. */
async function arrange(
  top: WalkedFolder,
  cache: HashCache,
  reader: Reader,
  draft: Draft,
): Promise<PendingFile[]> {
  const pending: PendingFile[] = [];
  const breather = new Breather();

  const place = async (folder: WalkedFolder): Promise<void> => {
    const { files, links, folders } = folder;
    const entries = [...files, ...links, ...folders].sort((a, b) => byPath(a.path, b.path));
    for (const entry of entries) {
      if (breather.isDue) await breather.rest();
      if ('folders' in entry) {
        draft.set(entry.path, folderEntry);
        const before = draft.size;
        await place(entry);
        if (entry.isOnTheWay && draft.size === before) draft.delete(entry.path);
      } else if ('target' in entry) {
        draft.set(entry.path, { kind: 'link', target: entry.target });
      } else {
        const hash = cache.find(entry.path, entry.signature);
        draft.set(entry.path, fileEntry(entry, hash ?? ''));
        if (hash === null || !reader.has(hash, entry.size)) pending.push(entry);
      }
    }
  };
  await place(top);
  return pending;
}

function fileEntry({ size, executable }: FoundFile, hash: string): Entry {
  return { kind: 'file', hash, size, executable };
}

function inBatches(files: readonly PendingFile[]): PendingFile[][] {
  const batches: PendingFile[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    const last = batches.at(-1);
    if (last && last.length < BATCH_FILES && bytes + file.size <= BATCH_BYTES) {
      last.push(file);
      bytes += file.size;
    } else {
      batches.push([file]);
      bytes = file.size;
    }
  }
  return batches.reverse();
}

/** Puts into the draft what was read at a path, which may be something else than it was a moment ago. */
function settle(
  folder: string,
  path: string,
  read: Read,
  draft: Draft,
  cache: HashCache,
  notes: Note[],
): void {
  switch (read.kind) {
    case 'file':
      draft.set(path, fileEntry(read, read.hash));
      if (read.isSettled) cache.remember(path, read.signature, read.hash);
      return;
    case 'link':
      draft.set(path, { kind: 'link', target: fromLatin1(read.target) });
      return;
    case 'busy':
      throw new VbatchError(
        'refused',
        `The file ${within(folder, path)} changed whenever it was read. Wait until it is written, or name it in a .vbatchignore file.`,
      );
    case 'denied':
      notes.push({ path, why: `cannot be read: ${read.why}` });
      break;
    case 'special':
      notes.push({ path, why: `is a ${read.what}` });
      break;
    case 'folder':
    case 'gone':
      break;
  }
  draft.delete(path);
}
