/** What a folder on this machine holds, as a manifest. */
import { inBatches } from './batches.ts';
import { Breather } from './breather.ts';
import { type Disk, type FoundFile, fromLatin1, type Read } from './disk.ts';
import { ioFailure } from './failures.ts';
import type { HashCache } from './hashCache.ts';
import { type Entry, emptyManifest, folderEntry, type Manifest, sameEntry } from './manifest.ts';
import { byPath, within } from './paths.ts';
import { Sizes } from './sizes.ts';
import { type Note, type WalkedFile, type WalkedFolder, Walker } from './walk.ts';

export interface ScanOptions {
  /** Whether `.git` is part of it. */
  readonly git: boolean;
  readonly maxFiles: number;
  readonly maxBytes: number;
}

export interface Scan {
  readonly manifest: Manifest;
  /** What is there and could not be taken, or not as it was at one time, in the order of paths. */
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
const limits = { count: 64, bytes: 16 * 1024 * 1024 };

type Draft = Map<string, Entry>;

/** Scans one folder again and again. Where little has changed since the last time, that takes little. */
export class Scanner {
  readonly #walker: Walker;
  #last: Manifest = emptyManifest;

  /** @param folder absolute path */
  constructor(
    private readonly disk: Disk,
    readonly folder: string,
    private readonly cache: HashCache,
    private readonly reader: Reader,
    private readonly options: ScanOptions,
  ) {
    this.#walker = new Walker(disk, folder, options.git);
  }

  /** How many entries the last scan has found: about what it costs to keep this. */
  get size(): number {
    return this.#last.size;
  }

  /**
   * The folder as it is now. Only files are read that the cache does not know or the reader does not have. With a
   * content store as the reader, all that the manifest names is in the store afterwards, and is what the manifest
   * says, whatever happens to the folder meanwhile. Throws `VbatchError` where the folder is too large or cannot be
   * read.
   */
  async scan(): Promise<Scan> {
    const { folder, disk, cache, reader, options } = this;
    const sizes = new Sizes(folder, options.maxFiles, options.maxBytes);
    const { top, notes } = await this.#walker
      .walk((path, size) => sizes.add(path, size))
      .catch((error: unknown) => {
        throw ioFailure(error, `Cannot read the folder ${folder}`, 'Look at its owner and permissions.');
      });
    sizes.check();

    const draft: Draft = new Map();
    const pending = await arrange(top, cache, reader, draft);
    const found: Note[] = [];
    const batches = inBatches(pending, ({ size }) => size, limits).reverse();
    await Promise.all(
      Array.from({ length: disk.workers }, async () => {
        for (let batch = batches.pop(); batch; batch = batches.pop()) {
          const read = await reader.read(
            batch.map(({ path, size }) => ({ path: within(folder, path), size })),
          );
          for (const [index, { path }] of batch.entries()) {
            settle(path, read[index] as Read, draft, cache, found);
          }
        }
      }),
    );
    await cache.save();
    // Whoever has met this value before sees at once that it is the same.
    if (!isSame(this.#last, draft)) this.#last = draft;
    return { manifest: this.#last, notes: [...notes, ...found].sort((a, b) => byPath(a.path, b.path)) };
  }
}

/** Scans a folder once. */
export function scan(
  disk: Disk,
  folder: string,
  cache: HashCache,
  reader: Reader,
  options: ScanOptions,
): Promise<Scan> {
  return new Scanner(disk, folder, cache, reader, options).scan();
}

function isSame(before: Manifest, now: Manifest): boolean {
  if (before.size !== now.size) return false;
  for (const [path, entry] of now) if (!sameEntry(before.get(path), entry)) return false;
  return true;
}

/** Puts all that was walked into the draft, in order. Gives the files that have to be read. */
async function arrange(
  top: WalkedFolder,
  cache: HashCache,
  reader: Reader,
  draft: Draft,
): Promise<WalkedFile[]> {
  const pending: WalkedFile[] = [];
  const breather = new Breather();

  const place = async ({ entries }: WalkedFolder): Promise<void> => {
    for (const entry of entries) {
      if (breather.isDue) await breather.rest();
      if (entry.kind === 'folder') {
        draft.set(entry.path, folderEntry);
        const before = draft.size;
        await place(entry);
        if (entry.isOnTheWay && draft.size === before) draft.delete(entry.path);
      } else if (entry.kind === 'link') {
        draft.set(entry.path, { kind: 'link', target: entry.target });
      } else {
        const { path, size, signature } = entry;
        const known = cache.find(path, signature);
        const { executable } = known ?? entry;
        draft.set(path, fileEntry({ size, executable }, known?.hash ?? ''));
        if (known === null || !reader.has(known.hash, size)) pending.push(entry);
      }
    }
  };
  await place(top);
  return pending;
}

function fileEntry({ size, executable }: Pick<FoundFile, 'size' | 'executable'>, hash: string): Entry {
  return { kind: 'file', hash, size, executable };
}

/** Puts into the draft what was read at a path, which may be something else than it was a moment ago. */
function settle(path: string, read: Read, draft: Draft, cache: HashCache, notes: Note[]): void {
  switch (read.kind) {
    case 'file':
      draft.set(path, fileEntry(read, read.hash));
      if (read.isSettled) cache.remember(path, read);
      return;
    case 'link':
      draft.set(path, { kind: 'link', target: fromLatin1(read.target) });
      return;
    case 'busy':
      draft.set(path, fileEntry(read, read.hash));
      notes.push({ path, text: 'changed whenever it was read; what was read last is taken', isTaken: true });
      return;
    case 'denied':
      notes.push({ path, text: `does not travel: it cannot be read: ${read.why}` });
      break;
    case 'special':
      notes.push({ path, text: `does not travel: it is a ${read.what}` });
      break;
    case 'folder':
    case 'gone':
      break;
  }
  draft.delete(path);
}
