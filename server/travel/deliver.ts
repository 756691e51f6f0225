/** Brings the folder of a run on a host up to date. */
import type { HostWorkspace } from '../hosts/host.ts';
import { type Change, diff, emptyManifest, type Manifest } from '../workspace/manifest.ts';
import type { ContentStore } from '../workspace/store.ts';
import { arrangement } from './arrangement.ts';
import { ask, askFor, type Lacking } from './ask.ts';
import { batchBytes, batchFiles, large, mostPerStream } from './limits.ts';
import { Count, type Progress } from './progress.ts';
import { callForLines } from './script.ts';
import { type Base, sendLarge } from './sendLarge.ts';
import { tarEnd, tarFile, tarHeader, tarPadding } from './tar.ts';
import { paysToZip } from './zip.ts';

export interface Delivery {
  readonly workspace: HostWorkspace;
  readonly store: ContentStore;
  readonly run: number;
  /** What the folder holds; null where there is none. */
  readonly holds: Manifest | null;
  readonly wanted: Manifest;
  /** Whether this path is left as it is, because of a task that writes there. */
  readonly isBusy: (path: string) => boolean;
  readonly tell: (progress: Progress) => void;
}

/**
 * Makes the folder hold what is wanted. Throws `unreachable` where the connection is lost, `refused` where it
 * cannot be done: then what the folder held is still in it, and doing it again goes on where this was cut short.
 */
export async function deliver(delivery: Delivery): Promise<void> {
  const { workspace, store, holds, wanted, isBusy } = delivery;
  const changes = diff(holds ?? emptyManifest, wanted).filter(({ path }) => !isBusy(path));
  if (holds !== null && changes.length === 0) return;
  const lacking = await ask(workspace, changes);
  const count = new Count(lacking, delivery.tell);
  const ofTheirOwn = lacking.filter(({ size }) => size >= large);
  const streams = inStreams(lacking.filter(({ size }) => size < large));
  // The last stream says how the folder is to be, when all else is there.
  const last = ofTheirOwn.length === 0 ? (streams.pop() ?? []) : [];
  const bases = await basesOf(delivery, changes, ofTheirOwn);
  await together(
    async (signal) => {
      for (const content of ofTheirOwn) {
        await sendLarge({ workspace, store, count, signal }, content, bases.get(content.hash) ?? null);
      }
    },
    async (signal) => {
      for (const contents of streams) await put(delivery, contents, null, count, signal);
    },
  );
  await put(delivery, last, changes, count);
}

/** By the hash of a large content that is lacking, what the host has at its path. */
async function basesOf(
  { workspace, store, run, holds }: Delivery,
  changes: readonly Change[],
  lacking: readonly Lacking[],
): Promise<Map<string, Base>> {
  const hashes = new Set(lacking.map(({ hash }) => hash));
  const bases = new Map<string, Base>();
  for (const { path, entry } of changes) {
    const before = holds?.get(path);
    if (entry?.kind !== 'file' || before?.kind !== 'file' || !hashes.has(entry.hash)) continue;
    if (before.size < large || !store.has(before.hash, before.size)) continue;
    bases.set(entry.hash, { hash: before.hash, file: `runs/${run}/tree/${path}` });
  }
  const notKept = await askFor(workspace, [...bases.values()].map(({ hash }) => hash));
  for (const [hash, base] of bases) {
    // What a task has made of it since is found out by the hash of what is made of that.
    if (!notKept.some((each) => each.hash === base.hash)) {
      bases.set(hash, { hash: base.hash, file: `contents/${base.hash}` });
    }
  }
  return bases;
}

/** Does all at once. When one fails, the others are called off, and that is what is thrown. */
async function together(...works: ((signal: AbortSignal) => Promise<void>)[]): Promise<void> {
  const control = new AbortController();
  await Promise.all(
    works.map((work) => work(control.signal).catch((error: unknown) => control.abort(error))),
  );
  control.signal.throwIfAborted();
}

function inStreams(contents: readonly Lacking[]): Lacking[][] {
  const streams: Lacking[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const content of contents) {
    if (bytes + content.size > mostPerStream) {
      streams.push([]);
      bytes = 0;
    }
    streams.at(-1)?.push(content);
    bytes += content.size;
  }
  return streams;
}

/** @param changes how the folder is to be then; null where there is more to come */
async function put(
  { workspace, store, run, holds }: Delivery,
  contents: readonly Lacking[],
  changes: readonly Change[] | null,
  count: Count,
  signal?: AbortSignal,
): Promise<void> {
  const how = holds === null ? 'fresh' : 'more';
  const batches = inBatches(contents);
  const sample = await store.take((batches[0] ?? []).map(({ hash }) => hash));
  const zip = await paysToZip(Buffer.concat(sample).subarray(0, 256 * 1024));
  const input = stream(store, batches, changes, count, signal);
  await callForLines(workspace, { words: ['put', String(run), how, zip ? 'gzip' : 'plain'], input, zip });
}

function inBatches(contents: readonly Lacking[]): Lacking[][] {
  const batches: Lacking[][] = [];
  let bytes = 0;
  for (const content of contents) {
    const last = batches.at(-1);
    if (last && last.length < batchFiles && bytes + content.size <= batchBytes) {
      last.push(content);
      bytes += content.size;
    } else {
      batches.push([content]);
      bytes = content.size;
    }
  }
  return batches;
}

async function* stream(
  store: ContentStore,
  batches: readonly Lacking[][],
  changes: readonly Change[] | null,
  count: Count,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for (const batch of batches) {
    signal?.throwIfAborted();
    const contents = await store.take(batch.map(({ hash }) => hash));
    let bytes = 0;
    const pieces = contents.flatMap((content, index) => {
      bytes += content.length;
      const name = `in/${batch[index]?.hash}`;
      return [
        tarHeader({ kind: 'file', name, size: content.length }),
        content,
        tarPadding(content.length),
      ];
    });
    yield Buffer.concat(pieces);
    count.add(bytes, batch.length);
  }
  if (changes) yield* arrangement(changes);
  yield tarFile('whole', Buffer.alloc(0));
  yield tarEnd;
}
