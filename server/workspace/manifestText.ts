/**
 * Manifests as text: a header, then a JSON array per entry, in the order of paths. The same manifest gives the
 * same bytes, so their hash names it.
 */
import { createHash } from 'node:crypto';
import { VbatchError } from '../protocol/errors.ts';
import { Breather } from './breather.ts';
import { type Entry, folderEntry, type Manifest } from './manifest.ts';
import { byPath, isLinkTarget, isSafePath, parentOf } from './paths.ts';

const HEADER = '{"vbatch":"manifest","format":1}';
/** Characters of text per piece: a few milliseconds of work. */
const PIECE = 64 * 1024;

/** The text of a manifest, piece by piece, so that whoever writes it can let others have a turn. */
export function* encodeManifest(manifest: Manifest): Generator<string, void> {
  let piece = `${HEADER}\n`;
  for (const [path, entry] of manifest) {
    piece += `${JSON.stringify(fields(path, entry))}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function fields(path: string, entry: Entry): unknown[] {
  switch (entry.kind) {
    case 'file':
      return [entry.executable ? 'x' : 'f', path, entry.hash, entry.size];
    case 'link':
      return ['l', path, entry.target];
    case 'folder':
      return ['d', path];
  }
}

/** SHA-256 of a manifest's text, in hexadecimal digits. */
export async function hashManifest(manifest: Manifest): Promise<string> {
  const hash = createHash('sha256');
  const breather = new Breather();
  for (const piece of encodeManifest(manifest)) {
    hash.update(piece);
    if (breather.isDue) await breather.rest();
  }
  return hash.digest('hex');
}

/**
 * Reads a manifest's text, in pieces of any size. Nothing in it is taken on trust: paths and targets are those
 * of a folder, in order, each once, and whatever something is in is a folder. Throws `VbatchError` where the
 * text is no manifest.
 *
 * @param name what the text is, for the error
 */
export async function decodeManifest(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: string,
): Promise<Manifest> {
  const decoder = new TextDecoder('utf-8');
  const breather = new Breather();
  const entries = new Map<string, Entry>();
  let rest = '';
  let number = 0;
  let last = '';
  const refuse = (why: string) =>
    new VbatchError('stateFailed', `${name} is not a manifest of vbatch: line ${number} ${why}.`);

  const take = (line: string) => {
    number += 1;
    if (number === 1) {
      if (line !== HEADER) throw refuse('is another header');
      return;
    }
    const [path, entry] = parse(line) ?? [];
    if (path === undefined || entry === undefined) throw refuse('is not an entry');
    if (byPath(path, last) <= 0) throw refuse('is out of order');
    const folder = parentOf(path);
    if (folder !== '' && entries.get(folder)?.kind !== 'folder') throw refuse('is in no folder');
    entries.set(path, entry);
    last = path;
  };

  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      take(line);
      if (breather.isDue) await breather.rest();
    }
  }
  if (rest !== '' || number === 0) {
    number += 1;
    throw refuse('breaks off');
  }
  return entries;
}

function parse(line: string): [string, Entry] | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  const [kind, path, what, size, ...more] = value as unknown[];
  if (typeof path !== 'string' || !isSafePath(path) || more.length > 0) return null;
  if (kind === 'd') return what === undefined ? [path, folderEntry] : null;
  if (typeof what !== 'string') return null;
  if (kind === 'l') {
    return size === undefined && isLinkTarget(what) ? [path, { kind: 'link', target: what }] : null;
  }
  if ((kind !== 'f' && kind !== 'x') || !/^[0-9a-f]{64}$/.test(what)) return null;
  if (!Number.isSafeInteger(size) || (size as number) < 0) return null;
  return [path, { kind: 'file', hash: what, size: size as number, executable: kind === 'x' }];
}
