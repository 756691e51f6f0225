/** Fetches a large content: from where it was cut off, and of one that was here before only what differs. */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostWorkspace } from '../hosts/host.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { BlockRun } from '../workspace/disk.ts';
import { errorCode } from '../workspace/failures.ts';
import type { Entry, FileEntry } from '../workspace/manifest.ts';
import type { ContentStore } from '../workspace/store.ts';
import { nameList } from './arrangement.ts';
import type { Count, Progress } from './progress.ts';
import { callForLines, callScript } from './script.ts';

export interface Wanted {
  readonly path: string;
  readonly entry: FileEntry;
  /** What was there before, as far as that is known. */
  readonly before?: Entry | undefined;
}

export interface Fetching {
  readonly workspace: HostWorkspace;
  readonly store: ContentStore;
  /** Folder of this machine for what is on its way. What is left there is gone on with. */
  readonly folder: string;
  readonly run: number;
  readonly tell: (progress: Progress) => void;
}

/** Blocks that are compared: hardly more than so many, since each costs the host two processes. */
const mostBlocks = 1_024;
const smallestBlock = 1024 * 1024;
/** Where a larger part of all differs, it is fetched as a whole. */
const mostChanged = 0.5;

/** Resolves with false where the file is not what it was said to be. Throws as `callScript` does. */
export async function fetchLarge(fetching: Fetching, wanted: Wanted, count: Count): Promise<boolean> {
  const { store, folder } = fetching;
  const { hash, size } = wanted.entry;
  const patch = join(folder, `${hash}.patch`);
  const part = join(folder, `${hash}.part`);
  const hasPart = (await sizeOf(part)) !== null;
  if (
    !hasPart &&
    (await isBegun(store, patch, wanted)) &&
    (await fetchChanges(fetching, wanted, patch, count))
  ) {
    const isRight = await store.adopt(patch, hash, size);
    if (isRight) count.add(0, 1);
    return isRight;
  }
  await rm(patch, { force: true });
  if (!(await fetchRest(fetching, wanted, part, count))) return false;
  const isRight = await store.adopt(part, hash, size);
  count.add(0, 1);
  return isRight;
}

/** Whether there is a file that is to be made into what is wanted: one that was left, or what was there before. */
async function isBegun(store: ContentStore, patch: string, { before }: Wanted): Promise<boolean> {
  if ((await sizeOf(patch)) !== null) return true;
  if (before?.kind !== 'file' || before.size < smallestBlock || !store.has(before.hash, before.size))
    return false;
  // Where the file system can do that, it shares its blocks.
  await copyFile(store.pathOf(before.hash), patch, constants.COPYFILE_FICLONE);
  return true;
}

/** Makes the file what is wanted, as far as the host tells. False where too much would have to come. */
async function fetchChanges(
  { workspace, store, run }: Fetching,
  { path, entry: { size } }: Wanted,
  patch: string,
  count: Count,
): Promise<boolean> {
  const block = Math.max(smallestBlock, Math.ceil(size / mostBlocks / smallestBlock) * smallestBlock);
  const blocks = Math.ceil(size / block);
  const place = [String(run), `./${path}`, String(block)];
  const [here, there] = await Promise.all([
    store.disk.blocks(patch, block),
    callForLines(workspace, { words: ['blocks', ...place, String(blocks)] }),
  ]);
  const runs = differing(here, there);
  const bytes = runs.reduce((sum, run) => sum + bytesOf(run, block, size), 0);
  if (bytes > mostChanged * size) return false;
  count.spare(size - bytes);
  const file = await open(patch, 'r+');
  try {
    if (runs.length > 0) {
      const words = ['some', ...place, ...runs.map((each) => `${each.from}+${each.count}`)];
      await callScript(workspace, { words }, (output) => writeRuns(file, output, runs, block, size, count));
    }
    await file.truncate(size);
  } catch (error) {
    if (error instanceof VbatchError && error.code === 'refused') return false;
    throw error;
  } finally {
    await file.close();
  }
  return true;
}

function differing(here: readonly string[], there: readonly string[]): BlockRun[] {
  const runs: { from: number; count: number }[] = [];
  for (const [number, hash] of there.entries()) {
    if (here[number] === hash) continue;
    const last = runs.at(-1);
    if (last && last.from + last.count === number) last.count += 1;
    else runs.push({ from: number, count: 1 });
  }
  return runs;
}

function bytesOf({ from, count }: BlockRun, block: number, size: number): number {
  return Math.min((from + count) * block, size) - from * block;
}

/** Writes what comes where it belongs. Whether it was right, the hash of it all says. */
async function writeRuns(
  file: FileHandle,
  output: AsyncIterable<Buffer>,
  runs: readonly BlockRun[],
  block: number,
  size: number,
  count: Count,
): Promise<void> {
  let index = 0;
  let done = 0;
  for await (let piece of output) {
    for (let run = runs[index]; run && piece.length > 0; run = runs[index]) {
      const left = bytesOf(run, block, size) - done;
      const part = piece.subarray(0, left);
      await file.write(part, 0, part.length, run.from * block + done);
      count.add(part.length, 0);
      done = part.length === left ? 0 : done + part.length;
      if (done === 0) index += 1;
      piece = piece.subarray(part.length);
    }
  }
}

/** Fetches a file from where it was cut off. False where it is not what it was. */
async function fetchRest(
  { workspace, store, run }: Fetching,
  { path, entry: { size } }: Wanted,
  part: string,
  count: Count,
): Promise<boolean> {
  let there = (await sizeOf(part)) ?? 0;
  if (there > size) there = 0;
  await store.makeSure(size - there);
  count.add(there, 0);
  const file = await open(part, there === 0 ? 'w' : 'r+', 0o600);
  try {
    const words = ['rest', String(run), String(there)];
    await callScript(workspace, { words, input: [nameList([path])] }, async (output) => {
      for await (const piece of output) {
        if (there + piece.length > size) throw new VbatchError('refused', 'it has grown meanwhile');
        await file.write(piece, 0, piece.length, there);
        there += piece.length;
        count.add(piece.length, 0);
      }
    });
    return true;
  } catch (error) {
    if (!(error instanceof VbatchError) || error.code !== 'refused') throw error;
    await rm(part, { force: true });
    return false;
  } finally {
    await file.close();
  }
}

/** Null where there is no such file. */
async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    (error: unknown) => {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    },
  );
}
