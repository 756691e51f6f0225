import { expect, it } from 'vitest';
import type { FileEntry } from '../../../server/workspace/manifest.ts';
import { fileEntry } from '../../../server/workspace/place.ts';

it('on Windows, a file is as executable as whatever is known to have its contents', () => {
  const hash = '1'.repeat(64);
  const read = { hash, size: 1, executable: false };
  const program: FileEntry = { kind: 'file', hash, size: 1, executable: true };
  const other: FileEntry = { kind: 'file', hash: '2'.repeat(64), size: 1, executable: true };
  expect(fileEntry(read, [undefined, other, program], 'win32')).toEqual(program);
  expect(fileEntry(read, [other], 'win32').executable).toBe(false);
  expect(fileEntry(read, [program], 'linux').executable).toBe(false);
});
