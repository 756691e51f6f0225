/** Brings the folder of a run on a host up to date. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import type { HostWorkspace } from '../hosts/host.ts';
import { encodeBytes } from '../protocol/bytes.ts';
import { VbatchError } from '../protocol/errors.ts';
import { Breather } from '../workspace/breather.ts';
import { type Change, diff, emptyManifest, type FileEntry, type Manifest } from '../workspace/manifest.ts';
import type { ContentStore } from '../workspace/store.ts';
import { callForLines } from './script.ts';
import { tarEnd, tarFile, tarHeader, tarPadding } from './tar.ts';

/** A larger content is sent by itself, and from where it was cut off. Bytes. */
const LARGE = 4 * 1024 * 1024;
/** What a stream of small contents holds at most: what is lost of it with a connection is sent again. Bytes. */
const MOST_PER_STREAM = 64 * 1024 * 1024;
/** Contents that are read together. */
const BATCH = 64;
const PIECE = 256 * 1024;
/** What is not made smaller than this is sent as it is. */
const PAYS = 0.8;
/** How often a content is sent whose sending ended early or went wrong. */
const TRIES = 3;

/** How far files have come. */
export interface Progress {
  files: number;
  allFiles: number;
  bytes: number;
  allBytes: number;
}

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
  const { workspace, run, holds, wanted, isBusy } = delivery;
  const changes = diff(holds ?? emptyManifest, wanted).filter(({ path }) => !isBusy(path));
  if (holds !== null && changes.length === 0) return;
  const lacking = await ask(workspace, changes);
  const progress = { files: 0, allFiles: lacking.length, bytes: 0, allBytes: 0 };
  for (const { size } of lacking) progress.allBytes += size;
  const counted = (bytes: number, files: number) => {
    progress.bytes += bytes;
    progress.files += files;
    delivery.tell({ ...progress });
  };
  counted(0, 0);
  const small: Lacking[] = [];
  for (const content of lacking) {
    if (content.size < LARGE) small.push(content);
    else await sendLarge(delivery, content, counted);
  }
  const streams = inStreams(small);
  const how = holds === null ? 'fresh' : 'more';
  for (const [index, contents] of streams.entries()) {
    const isLast = index === streams.length - 1;
    const zip = await pays(delivery.store, contents);
    const input = putStream(delivery.store, contents, isLast ? arrangement(changes) : [], counted);
    await callForLines(workspace, { words: ['put', String(run), how, zip ? 'gzip' : 'plain'], input, zip });
  }
}

export interface Lacking {
  readonly hash: string;
  readonly size: number;
  /** Bytes of it that are there. */
  readonly there: number;
}

/** The contents that these changes need and the host does not have. */
export async function ask(workspace: HostWorkspace, changes: readonly Change[]): Promise<Lacking[]> {
  const sizes = new Map<string, number>();
  for (const { entry } of changes) {
    if (entry?.kind === 'file') sizes.set(entry.hash, entry.size);
  }
  if (sizes.size === 0) return [];
  const input = [Buffer.from([...sizes.keys()].map((hash) => `${hash}\n`).join(''))];
  const lines = await callForLines(workspace, { words: ['ask'], input });
  return lines.flatMap((line) => {
    const [hash = '', there] = line.split(' ');
    const size = sizes.get(hash);
    return size === undefined ? [] : [{ hash, size, there: Number(there) }];
  });
}

async function sendLarge(
  { workspace, store }: Delivery,
  content: Lacking,
  counted: (bytes: number, files: number) => void,
): Promise<void> {
  let { there } = content;
  const { hash, size } = content;
  const zip = await pays(store, [content]);
  for (let tries = 1; ; tries++) {
    if (there > size) there = 0;
    const words = ['part', hash, String(there), String(size), zip ? 'gzip' : 'plain'];
    counted(there, 0);
    let sent = there;
    const input = contentFrom(store, content, there, (bytes) => {
      sent += bytes;
      counted(bytes, 0);
    });
    try {
      await callForLines(workspace, { words, input, zip });
      counted(0, 1);
      return;
    } catch (error) {
      if (!(error instanceof VbatchError) || error.code !== 'refused' || tries === TRIES) throw error;
      counted(-sent, 0);
      const asked = (await callForLines(workspace, { words: ['ask'], input: [Buffer.from(`${hash}\n`)] }))[0];
      if (asked === undefined) return counted(size, 1);
      there = Number(asked.split(' ')[1]);
    }
  }
}

async function* contentFrom(
  store: ContentStore,
  { hash }: Lacking,
  from: number,
  passed: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const file = await store.open(hash);
  try {
    for (let at = from; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
      passed(bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** At least one stream, which says at its end how the folder is to be. */
function inStreams(contents: readonly Lacking[]): Lacking[][] {
  const streams: Lacking[][] = [[]];
  let bytes = 0;
  for (const content of contents) {
    if (bytes + content.size > MOST_PER_STREAM) {
      streams.push([]);
      bytes = 0;
    }
    streams.at(-1)?.push(content);
    bytes += content.size;
  }
  return streams;
}

async function* putStream(
  store: ContentStore,
  contents: readonly Lacking[],
  last: Iterable<Buffer>,
  counted: (bytes: number, files: number) => void,
): AsyncGenerator<Buffer> {
  for (let start = 0; start < contents.length; start += BATCH) {
    const batch = contents.slice(start, start + BATCH);
    const read = await Promise.all(batch.map(({ hash }) => readContent(store, hash)));
    const pieces = read.flatMap((bytes, index) => [
      tarHeader({ kind: 'file', name: `in/${batch[index]?.hash}`, size: bytes.length }),
      bytes,
      tarPadding(bytes.length),
    ]);
    yield Buffer.concat(pieces);
    counted(
      batch.reduce((sum, { size }) => sum + size, 0),
      batch.length,
    );
  }
  yield* last;
  yield tarFile('whole', Buffer.alloc(0));
  yield tarEnd;
}

async function readContent(store: ContentStore, hash: string): Promise<Buffer> {
  return readFile(store.pathOf(hash)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? store.missing(hash) : error;
  });
}

/** How the folder is to be, for the end of the last stream. */
function* arrangement(changes: readonly Change[]): Generator<Buffer> {
  const links: Buffer[] = [tarHeader({ kind: 'folder', name: 'stage' })];
  const executable: string[] = [];
  const gone: string[] = [];
  for (const { path, entry } of changes) {
    if (entry === null) {
      gone.push(path);
      continue;
    }
    const name = `stage/${path}`;
    switch (entry.kind) {
      case 'folder':
        links.push(tarHeader({ kind: 'folder', name }));
        break;
      case 'link':
        links.push(tarHeader({ kind: 'link', name, target: entry.target }));
        break;
      case 'file':
        links.push(tarHeader({ kind: 'hardLink', name, target: `contents/${entry.hash}` }));
        if (entry.executable) executable.push(path);
        break;
    }
  }
  links.push(tarEnd);
  // What is in a folder goes before it.
  yield tarFile('gone', nameList(gone.reverse()));
  yield tarFile('exec', nameList(executable));
  yield tarFile('links', Buffer.concat(links));
}

/** Names as the script reads them. */
export function nameList(paths: readonly string[]): Buffer {
  return encodeBytes(paths.map((path) => `./${path}\0`).join(''));
}

const deflate = promisify(deflateRaw);

/** Whether what these contents begin with becomes much smaller when it is compressed. */
async function pays(
  store: ContentStore,
  contents: readonly Pick<FileEntry, 'hash' | 'size'>[],
): Promise<boolean> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const breather = new Breather();
  for (const { hash, size } of contents.slice(0, BATCH)) {
    if (bytes >= PIECE) break;
    if (breather.isDue) await breather.rest();
    const file = await store.open(hash);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(size, PIECE)), 0);
      pieces.push(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    } finally {
      await file.close();
    }
  }
  if (bytes < 4_096) return false;
  return (await deflate(Buffer.concat(pieces), { level: 1 })).length < PAYS * bytes;
}
