/** Fetches what files in the folder of a run on a host hold, into the content store. */
import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostWorkspace } from '../hosts/host.ts';
import { VbatchError } from '../protocol/errors.ts';
import { errorCode, ioFailure } from '../workspace/failures.ts';
import type { FileEntry } from '../workspace/manifest.ts';
import type { ContentStore } from '../workspace/store.ts';
import { nameList, type Progress } from './deliver.ts';
import { callScript } from './script.ts';

/** A larger content is fetched by itself, and from where it was cut off. Bytes. */
const LARGE = 4 * 1024 * 1024;
/** What one stream brings at most: what has come of it is lost with its connection. Bytes, and files. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_FILES = 2_000;
/** Contents that are stored together. */
const BATCH = 64;

export interface Wanted {
  readonly path: string;
  readonly entry: FileEntry;
}

export interface Fetching {
  readonly workspace: HostWorkspace;
  readonly store: ContentStore;
  /** Folder of this machine for what is on its way. What is left there is gone on with. */
  readonly folder: string;
  readonly run: number;
  readonly tell: (progress: Progress) => void;
}

/**
 * Fetches the contents that the store does not have. Resolves with false where a file is not any more what it
 * was said to be. Throws `unreachable`, `refused`, and `diskFull` where there is no room here.
 */
export async function fetchContents(fetching: Fetching, files: readonly Wanted[]): Promise<boolean> {
  const { store, folder } = fetching;
  const lacking = new Map<string, Wanted>();
  for (const wanted of files) {
    const { hash, size } = wanted.entry;
    if (!store.has(hash, size)) lacking.set(hash, wanted);
  }
  if (lacking.size === 0) return true;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await fetchAll(fetching, [...lacking.values()]);
  } catch (error) {
    throw ioFailure(error, `Cannot write in ${folder}`, 'Look at its owner and permissions.');
  }
}

async function fetchAll(fetching: Fetching, lacking: readonly Wanted[]): Promise<boolean> {
  const progress = { files: 0, allFiles: lacking.length, bytes: 0, allBytes: 0 };
  for (const { entry } of lacking) progress.allBytes += entry.size;
  const counted = (bytes: number, count: number) => {
    progress.bytes += bytes;
    progress.files += count;
    fetching.tell({ ...progress });
  };
  counted(0, 0);
  const small: Wanted[] = [];
  for (const wanted of lacking) {
    if (wanted.entry.size < LARGE) small.push(wanted);
    else if (!(await fetchLarge(fetching, wanted, counted))) return false;
  }
  for (const some of inStreams(small)) {
    if (!(await fetchSmall(fetching, some, counted))) return false;
  }
  return true;
}

function inStreams(files: readonly Wanted[]): Wanted[][] {
  const streams: Wanted[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const wanted of files) {
    const last = streams.at(-1);
    if (last && last.length < MOST_FILES && bytes + wanted.entry.size <= MOST_BYTES) {
      last.push(wanted);
      bytes += wanted.entry.size;
    } else {
      streams.push([wanted]);
      bytes = wanted.entry.size;
    }
  }
  return streams;
}

/** One after the other in one stream, told apart by their sizes; whether they are what they should be, hashes say. */
async function fetchSmall(
  { workspace, store, folder, run }: Fetching,
  files: readonly Wanted[],
  counted: (bytes: number, count: number) => void,
): Promise<boolean> {
  const input = [nameList(files.map(({ path }) => path))];
  const here = await mkdtemp(join(folder, 'stream-'));
  try {
    return await callScript(workspace, { words: ['get', String(run)], input }, async (output) => {
      let at = 0;
      let rest = Buffer.alloc(0);
      let batch: Wanted[] = [];
      const keep = async () => {
        const paths = batch.map((_, index) => join(here, String(index)));
        const read = await store.read(paths.map((path, index) => ({ path, size: sizeOf(batch[index]) })));
        const isRight = read.every(
          (found, index) => found.kind === 'file' && found.hash === batch[index]?.entry.hash,
        );
        batch = [];
        return isRight;
      };
      const take = async (): Promise<boolean> => {
        for (let next = files[at]; next && rest.length >= next.entry.size; next = files[++at]) {
          await writeFile(join(here, String(batch.length)), rest.subarray(0, next.entry.size));
          rest = rest.subarray(next.entry.size);
          batch.push(next);
          counted(next.entry.size, 1);
          if (batch.length === BATCH && !(await keep())) return false;
        }
        return true;
      };
      const pieces: Buffer[] = [];
      let waiting = 0;
      for await (const piece of output) {
        pieces.push(piece);
        waiting += piece.length;
        if (rest.length + waiting < sizeOf(files[at])) continue;
        rest = Buffer.concat([rest, ...pieces.splice(0)]);
        waiting = 0;
        if (!(await take())) return false;
      }
      rest = Buffer.concat([rest, ...pieces]);
      if (!(await take())) return false;
      // Files that have grown or shrunk meanwhile.
      return at === files.length && rest.length === 0 && (await keep());
    });
  } catch (error) {
    // Of a file that is gone, `cat` says so.
    if (error instanceof VbatchError && error.code === 'refused') return false;
    throw error;
  } finally {
    await rm(here, { recursive: true, force: true });
  }
}

function sizeOf(wanted: Wanted | undefined): number {
  return wanted?.entry.size ?? 0;
}

async function fetchLarge(
  { workspace, store, folder, run }: Fetching,
  { path, entry: { hash, size } }: Wanted,
  counted: (bytes: number, count: number) => void,
): Promise<boolean> {
  const part = join(folder, `${hash}.part`);
  let there = await stat(part).then(
    (found) => found.size,
    () => 0,
  );
  if (there > size) there = 0;
  counted(there, 0);
  const file = await open(part, there === 0 ? 'w' : 'r+', 0o600);
  try {
    const words = ['rest', String(run), String(there)];
    await callScript(workspace, { words, input: [nameList([path])] }, async (output) => {
      for await (const piece of output) {
        if (there + piece.length > size) throw new VbatchError('refused', 'it has grown meanwhile');
        await file.write(piece, 0, piece.length, there);
        there += piece.length;
        counted(piece.length, 0);
      }
    });
  } catch (error) {
    if (!(error instanceof VbatchError) || error.code !== 'refused') throw error;
    await rm(part, { force: true });
    return false;
  } finally {
    await file.close();
  }
  const [read] = await store.read([{ path: part, size }]);
  await rm(part, { force: true });
  counted(0, 1);
  return read?.kind === 'file' && read.hash === hash;
}

/** Removes what an earlier server has left of streams. Parts of large contents stay, to be gone on with. */
export async function tidyFetched(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (!name.endsWith('.part')) await rm(join(folder, name), { recursive: true, force: true });
  }
}
