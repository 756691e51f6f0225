import { expect, it } from 'vitest';
import { type Entry, type FileEntry, folderEntry } from '../../../server/workspace/manifest.ts';
import { fileEntry, inOrder } from '../../../server/workspace/place.ts';

it('on Windows, a file is as executable as whatever is known to have its contents', () => {
  const hash = '1'.repeat(64);
  const read = { hash, size: 1, executable: false };
  const program: FileEntry = { kind: 'file', hash, size: 1, executable: true };
  const other: FileEntry = { kind: 'file', hash: '2'.repeat(64), size: 1, executable: true };
  expect(fileEntry(read, [undefined, other, program], 'win32')).toEqual(program);
  expect(fileEntry(read, [other], 'win32').executable).toBe(false);
  expect(fileEntry(read, [program], 'linux').executable).toBe(false);
});

it('links are written when all is there that they may lead to', () => {
  const entries: [string, Entry][] = [
    ['a', { kind: 'link', target: 'b' }],
    ['b', folderEntry],
    ['b/c', { kind: 'file', hash: '1'.repeat(64), size: 1, executable: false }],
  ];
  const writes = entries.map(([path, entry]) => ({ path, entry }));
  expect(inOrder(writes).map(({ path }) => path)).toEqual(['b', 'b/c', 'a']);
});
