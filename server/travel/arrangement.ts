/** How the folder of a run on a host is to be, for the end of a stream of contents. */
import { encodeBytes } from '../protocol/bytes.ts';
import { Breather } from '../workspace/breather.ts';
import type { Change } from '../workspace/manifest.ts';
import { large } from './limits.ts';
import { tarEnd, tarFile, tarHeader, tarPadding } from './tar.ts';

/** Entries that are put together. */
const batch = 256;

/**
 * Entries of a tar: names of what goes and of what may be executed, large contents with the names that they get, and a
 * tar of what else is to be there.
 */
export async function* arrangement(changes: readonly Change[]): AsyncGenerator<Buffer> {
  const executable: string[] = [];
  const gone: string[] = [];
  const apart: Buffer[] = [];
  const pieces: Buffer[] = [];
  let entries: Buffer[] = [tarHeader({ kind: 'folder', name: 'stage' })];
  const breather = new Breather();
  for (const { path, entry } of changes) {
    if (entry === null) {
      gone.push(path);
      continue;
    }
    const name = `stage/${path}`;
    switch (entry.kind) {
      case 'folder':
        entries.push(tarHeader({ kind: 'folder', name }));
        break;
      case 'link':
        entries.push(tarHeader({ kind: 'link', name, target: entry.target }));
        break;
      case 'file':
        if (entry.size >= large) apart.push(Buffer.from(`${entry.hash} `), nameList([path]));
        else entries.push(tarHeader({ kind: 'hardLink', name, target: `contents/${entry.hash}` }));
        if (entry.executable) executable.push(path);
        break;
    }
    if (entries.length < batch) continue;
    pieces.push(Buffer.concat(entries));
    entries = [];
    if (breather.isDue) await breather.rest();
  }
  pieces.push(Buffer.concat([...entries, tarEnd]));
  // What is in a folder goes before it.
  yield tarFile('gone', nameList(gone.reverse()));
  yield tarFile('exec', nameList(executable));
  yield tarFile('large', Buffer.concat(apart));
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  yield tarHeader({ kind: 'file', name: 'links', size });
  yield* pieces;
  yield tarPadding(size);
}

/** Names as the script reads them. */
export function nameList(paths: readonly string[]): Buffer {
  return encodeBytes(paths.map((path) => `./${path}\0`).join(''));
}
