/** Fetches what files in the folder of a run on a host hold, into the content store. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VbatchError } from '../protocol/errors.ts';
import { inBatches } from '../workspace/batches.ts';
import { errorCode, ioFailure } from '../workspace/failures.ts';
import { nameList } from './arrangement.ts';
import { type Fetching, fetchLarge, type Wanted } from './fetchLarge.ts';
import { batchLimits, large, mostPerStream } from './limits.ts';
import { Count } from './progress.ts';
import { callScript } from './script.ts';

/** What one stream brings at most. */
const streamLimits = { count: 2_000, bytes: mostPerStream };

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
  const count = new Count(
    lacking.map(({ entry }) => entry),
    fetching.tell,
  );
  const small: Wanted[] = [];
  for (const wanted of lacking) {
    if (wanted.entry.size < large) small.push(wanted);
    else if (!(await fetchLarge(fetching, wanted, count))) return false;
  }
  for (const some of inBatches(small, ({ entry }) => entry.size, streamLimits)) {
    if (!(await fetchSmall(fetching, some, count))) return false;
  }
  return true;
}

/** One after the other in one stream, told apart by their sizes; whether they are what they should be, hashes say. */
async function fetchSmall(
  { workspace, store, run }: Fetching,
  files: readonly Wanted[],
  count: Count,
): Promise<boolean> {
  const input = [nameList(files.map(({ path }) => path))];
  try {
    return await callScript(workspace, { words: ['get', String(run)], input }, async (output) => {
      let batch: Buffer[] = [];
      let stored = 0;
      const keep = async () => {
        const hashes = await store.put(batch);
        const isRight = hashes.every((hash, index) => files[stored + index]?.entry.hash === hash);
        stored += batch.length;
        batch = [];
        return isRight;
      };
      let waiting = 0;
      for await (const content of contents(output, files)) {
        // Files that have grown or shrunk meanwhile.
        if (content === null) return false;
        batch.push(content);
        waiting += content.length;
        count.add(content.length, 1);
        if (batch.length < batchLimits.count && waiting < batchLimits.bytes) continue;
        waiting = 0;
        if (!(await keep())) return false;
      }
      return keep();
    });
  } catch (error) {
    // Of a file that is gone, `cat` says so.
    if (error instanceof VbatchError && error.code === 'refused') return false;
    throw error;
  }
}

/** What each of these files holds, and null last where it was more or less than that. */
async function* contents(
  output: AsyncIterable<Buffer>,
  files: readonly Wanted[],
): AsyncGenerator<Buffer | null> {
  let at = 0;
  let pieces: Buffer[] = [];
  let bytes = 0;
  function* whole() {
    if (bytes < sizeOf(files[at])) return;
    let rest = Buffer.concat(pieces);
    for (let next = files[at]; next && rest.length >= next.entry.size; next = files[++at]) {
      // Not a part of what others are in: it would be copied as a whole for each.
      yield Buffer.from(rest.subarray(0, next.entry.size));
      rest = rest.subarray(next.entry.size);
    }
    pieces = [rest];
    bytes = rest.length;
  }
  for await (const piece of output) {
    pieces.push(piece);
    bytes += piece.length;
    yield* whole();
  }
  yield* whole();
  if (at < files.length || bytes > 0) yield null;
}

function sizeOf(wanted: Wanted | undefined): number {
  return wanted?.entry.size ?? 0;
}

/** Removes what an earlier server has left. Parts of large contents stay, to be gone on with. */
export async function tidyFetched(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (!/\.(part|patch)$/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
