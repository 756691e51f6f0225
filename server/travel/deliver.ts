/** Brings the folder of a run on a host up to date. */
import type { HostWorkspace } from '../hosts/host.ts';
import { VbatchError } from '../protocol/errors.ts';
import { inBatches } from '../workspace/batches.ts';
import { type Change, diff, emptyManifest, type Manifest } from '../workspace/manifest.ts';
import type { ContentStore } from '../workspace/store.ts';
import { arrangement } from './arrangement.ts';
import { ask, askFor, type Lacking } from './ask.ts';
import { batchLimits, large, mostPerStream } from './limits.ts';
import { Count, type Progress } from './progress.ts';
import { callForLines } from './script.ts';
import { type Base, sendLarge } from './sendLarge.ts';
import { tarEnd, tarFile, tarHeader, tarPadding } from './tar.ts';
import type { UnderWay } from './underWay.ts';
import { paysToZip } from './zip.ts';

/** Of what is sent, so much is looked at to find whether it pays to compress it. Bytes. */
const sampleBytes = 256 * 1024;
/** Of so few paths nobody notices what it takes to send them. */
const fewPaths = 100;
/** How often it is tried where the host has something else than it should, or has lost it meanwhile. */
const tries = 3;
/** What the script says then. */
const damaged = 'what was sent has not come as it was';

const streamLimits = { count: Number.POSITIVE_INFINITY, bytes: mostPerStream };
const sizeOf = ({ size }: Lacking) => size;

export interface Delivery {
  readonly workspace: HostWorkspace;
  readonly store: ContentStore;
  readonly run: number;
  /** What the folder holds; null where there is none. */
  readonly holds: Manifest | null;
  /** Where there is none, what another one there holds that is probably much like it. */
  readonly similar?: Manifest | null;
  readonly wanted: Manifest;
  readonly underWay: UnderWay;
  /** Whether this path is left as it is, because of a task that writes there. */
  readonly isBusy: (path: string) => boolean;
  readonly tell: (progress: Progress) => void;
}

/**
 * Makes the folder hold what is wanted. Throws `unreachable` where the connection is lost, `refused` where it
 * cannot be done: then what the folder held is still in it, and doing it again goes on where this was cut short.
 */
export async function deliver(delivery: Delivery): Promise<void> {
  const { holds, wanted, isBusy } = delivery;
  const changes = diff(holds ?? emptyManifest, wanted).filter(({ path }) => !isBusy(path));
  if (holds !== null && changes.length === 0) return;
  for (let attempt = 1; ; attempt++) {
    try {
      await bring(delivery, changes);
      return;
    } catch (error) {
      // What was damaged is not there any more.
      const isDamaged = error instanceof VbatchError && error.message === damaged;
      if (!isDamaged || attempt === tries) throw error;
    }
  }
}

async function bring(delivery: Delivery, changes: readonly Change[]): Promise<void> {
  const { workspace, store, underWay } = delivery;
  let ended = underWay.ended;
  const lacking = await ask(workspace, changes);
  const count = new Count(lacking, delivery.tell);
  const ofTheirOwn = lacking.filter(({ size }) => size >= large);
  const streams = inBatches(
    lacking.filter(({ size }) => size < large),
    sizeOf,
    streamLimits,
  );
  // The last stream says how the folder is to be, when all else is there.
  const last = ofTheirOwn.length === 0 ? (streams.pop() ?? []) : [];
  const bases = await basesOf(delivery, changes, ofTheirOwn);
  await together(
    async (signal) => {
      for (const content of ofTheirOwn) {
        const { hash, size } = content;
        let still: Lacking | null = content;
        if (underWay.ended !== ended) still = await stillLacking(delivery, content);
        // Nothing may come between having seen that nobody sends it and sending it.
        while (still !== null && underWay.has(hash)) still = await stillLacking(delivery, content);
        if (still === null) {
          count.add(size, 1);
          continue;
        }
        const [from, sending] = [still, { workspace, store, count, signal }];
        await underWay.send(hash, () => sendLarge(sending, from, bases.get(hash) ?? null));
        ended += 1;
      }
    },
    async (signal) => {
      for (const contents of streams) await put(delivery, stream(store, contents, count, signal));
    },
  );
  await put(delivery, stream(store, last, count), changes);
}

/** What the host has of a large content when others have sent it as far as they got; null where that is all. */
async function stillLacking({ workspace, underWay }: Delivery, content: Lacking): Promise<Lacking | null> {
  await underWay.idle(content.hash);
  const [lacking] = await askFor(workspace, [content.hash]);
  return lacking ? { ...content, there: lacking.there } : null;
}

/** By the hash of a large content that is lacking, what the host has at its path. */
async function basesOf(
  { workspace, store, run, holds, similar }: Delivery,
  changes: readonly Change[],
  lacking: readonly Lacking[],
): Promise<Map<string, Base>> {
  const bases = new Map<string, Base>();
  if (lacking.length === 0) return bases;
  const hashes = new Set(lacking.map(({ hash }) => hash));
  for (const { path, entry } of changes) {
    const before = (holds ?? similar)?.get(path);
    if (entry?.kind !== 'file' || before?.kind !== 'file' || !hashes.has(entry.hash)) continue;
    if (before.size < large || !store.has(before.hash, before.size)) continue;
    bases.set(entry.hash, { hash: before.hash, file: `runs/${run}/tree/${path}` });
  }
  const asked = [...bases.values()].map(({ hash }) => hash);
  const notKept = new Set((await askFor(workspace, asked)).map(({ hash }) => hash));
  for (const [hash, base] of bases) {
    if (!notKept.has(base.hash)) bases.set(hash, { ...base, file: `contents/${base.hash}` });
    // Else there is the folder's own. Whether a task has changed that, the hash of what is made of it tells.
    else if (holds === null) bases.delete(hash);
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

/** Contents, and how the folder is to be with them, if nothing else is to come. */
async function put(
  { workspace, run, holds }: Delivery,
  contents: AsyncIterable<Buffer>,
  changes: readonly Change[] | null = null,
): Promise<void> {
  const pieces = contents[Symbol.asyncIterator]();
  const first = await pieces.next();
  // Of names and links next to nothing remains.
  const zip = first.done
    ? (changes ?? []).length > fewPaths
    : await paysToZip(first.value.subarray(0, sampleBytes));
  async function* input() {
    if (!first.done) yield first.value;
    yield* { [Symbol.asyncIterator]: () => pieces };
    if (changes) yield* arrangement(changes);
    yield tarFile('whole', Buffer.alloc(0));
    yield tarEnd;
  }
  const words = ['put', String(run), holds === null ? 'fresh' : 'more', zip ? 'gzip' : 'plain'];
  await callForLines(workspace, { words, input: input(), zip });
}

async function* stream(
  store: ContentStore,
  contents: readonly Lacking[],
  count: Count,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  for (const batch of inBatches(contents, sizeOf, batchLimits)) {
    signal?.throwIfAborted();
    const taken = await store.take(batch.map(({ hash }) => hash));
    const pieces = taken.flatMap((content, index) => {
      const { length } = content;
      const name = `in/${batch[index]?.hash}`;
      return [tarHeader({ kind: 'file', name, size: length }), content, tarPadding(length)];
    });
    yield Buffer.concat(pieces);
    count.add(
      taken.reduce((sum, { length }) => sum + length, 0),
      batch.length,
    );
  }
}
