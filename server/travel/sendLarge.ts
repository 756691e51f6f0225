/** Sends a large content to a host: from where it was cut off, and of one that was there before only what differs. */
import type { HostWorkspace } from '../hosts/host.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { BlockRun } from '../workspace/disk.ts';
import type { ContentStore } from '../workspace/store.ts';
import { askFor, type Lacking } from './ask.ts';
import type { Count } from './progress.ts';
import { callForLines } from './script.ts';
import { paysToZip } from './zip.ts';

/** How often a content is sent whose sending ended early or went wrong. */
const tries = 3;
/** What is read at once: each piece costs a way to the disk and back, in which nothing else is sent. Bytes. */
const pieceSize = 1024 * 1024;
/** Of the blocks that are compared: what a changed byte costs. The script knows it as well. Bytes. */
const blockSize = 64 * 1024;
/** With more than so many places that differ, or a larger part of all, a content is sent as a whole. */
const mostRuns = 1_000;
const mostChanged = 0.5;

export interface Base {
  readonly hash: string;
  /** Where the host has it, relative to its folder. */
  readonly file: string;
}

export interface LargeSending {
  readonly workspace: HostWorkspace;
  readonly store: ContentStore;
  readonly count: Count;
  /** Calls it off. */
  readonly signal: AbortSignal;
}

/** Bytes that become a content of the host. */
interface Source {
  readonly hash: string;
  readonly size: number;
  read(from: number): AsyncIterable<Buffer>;
}

/**
 * Resolves when the host has it, or all of its parts, of which the next `put` that names it makes a content.
 *
 * @param base a content that the host has and that this one is probably much like
 */
export async function sendLarge(sending: LargeSending, content: Lacking, base: Base | null): Promise<void> {
  const { store, count } = sending;
  const isNew = content.there === 0;
  if (base && isNew && (await sendChanges(sending, content, base))) return;
  const whole = { ...content, read: (from: number) => readRuns(store, content, wholeOf(content), from) };
  await sendSource(sending, whole, content.there);
  count.add(0, 1);
}

function wholeOf({ size }: { size: number }): BlockRun[] {
  return [{ from: 0, count: Math.ceil(size / blockSize) }];
}

/** Whether the content has been made of what the host had. Otherwise it has to be sent as a whole. */
async function sendChanges(sending: LargeSending, { hash, size }: Lacking, base: Base): Promise<boolean> {
  const { workspace, store, count } = sending;
  const { disk } = store;
  const changes = await disk.compare(store.pathOf(base.hash), store.pathOf(hash), blockSize);
  if (changes.runs.length > mostRuns || changes.bytes > mostChanged * size) return false;
  const read = (from: number) => readRuns(store, { hash, size }, changes.runs, from);
  const [lacking] = await askFor(workspace, [changes.hash]);
  count.spare(size - changes.bytes);
  const words = ['join', hash, String(size), base.file, changes.hash];
  let sent = 0;
  try {
    await sendSource(sending, { hash: changes.hash, size: changes.bytes, read }, lacking?.there ?? 0);
    sent = changes.bytes;
    await callForLines(workspace, { words, input: [Buffer.from(plan(changes.runs))] });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    count.spare(changes.bytes - size);
    count.add(-sent, 0);
    return false;
  }
  count.add(0, 1);
  return true;
}

/** Where the changed blocks belong, as the script reads it. */
function plan(runs: readonly BlockRun[]): string {
  let at = 0;
  return runs
    .map(({ from, count }) => {
      const line = `${at} ${from} ${count}\n`;
      at += count;
      return line;
    })
    .join('');
}

async function sendSource(sending: LargeSending, source: Source, from: number): Promise<void> {
  const { workspace, count, signal } = sending;
  const { hash, size } = source;
  const zip = await paysToZip(await firstOf(source));
  for (let there = from > size ? 0 : from, attempt = 1; ; attempt++) {
    const words = ['part', hash, String(there), String(size), zip ? 'gzip' : 'plain'];
    let sent = there;
    count.add(there, 0);
    const input = eachPiece(source, there, signal, (bytes) => {
      sent += bytes;
      count.add(bytes, 0);
    });
    try {
      await callForLines(workspace, { words, input, zip });
      return;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      count.add(-sent, 0);
      if (attempt === tries || signal.aborted) throw error;
      const [lacking] = await askFor(workspace, [hash]);
      if (!lacking) return count.add(size, 0);
      there = lacking.there > size ? 0 : lacking.there;
    }
  }
}

async function firstOf(source: Source): Promise<Buffer> {
  for await (const piece of source.read(0)) return piece;
  return Buffer.alloc(0);
}

async function* eachPiece(
  source: Source,
  from: number,
  signal: AbortSignal,
  passed: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const piece of source.read(from)) {
    signal.throwIfAborted();
    yield piece;
    passed(piece.length);
  }
}

/** What is in these blocks of a content, without the first `skip` bytes of all that. */
async function* readRuns(
  store: ContentStore,
  { hash, size }: { hash: string; size: number },
  runs: readonly BlockRun[],
  skip: number,
): AsyncGenerator<Buffer> {
  const file = await store.open(hash);
  try {
    let passed = 0;
    for (const { from, count } of runs) {
      const end = Math.min((from + count) * blockSize, size);
      const length = end - from * blockSize;
      let at = from * blockSize + Math.max(0, skip - passed);
      passed += length;
      while (at < end) {
        const most = Math.min(pieceSize, end - at);
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(most), 0, most, at);
        if (bytesRead === 0) throw store.missing(hash);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    }
  } finally {
    await file.close();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof VbatchError && error.code === 'refused';
}
