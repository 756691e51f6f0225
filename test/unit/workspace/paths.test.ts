import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBytes, encodeBytes } from '../../../server/protocol/bytes.ts';
import {
  byPath,
  foldersOf,
  isGitPath,
  isLinkTarget,
  isPathHere,
  isSafePath,
  nameOf,
  withSuffix,
} from '../../../server/workspace/paths.ts';

describe('isSafePath', () => {
  it.each([
    'a',
    'a/b',
    '.git',
    '...',
    '..a',
    'a b',
    'new\nline',
    '-rf',
    '\udcff',
    '~',
    'C:',
    'n'.repeat(255),
  ])('takes %j', (path) => expect(isSafePath(path)).toBe(true));

  it.each(['', '/', '/a', 'a/', 'a//b', '.', './a', 'a/.', '..', '../a', 'a/../b', 'a\0', 'n'.repeat(256)])(
    'refuses %j',
    (path) => expect(isSafePath(path)).toBe(false),
  );

  it('refuses what is longer than a system takes', () => {
    expect(isSafePath('n/'.repeat(2047) + 'n')).toBe(true);
    expect(isSafePath('n/'.repeat(2048) + 'n')).toBe(false);
    expect(isSafePath('\udcff'.repeat(255))).toBe(true);
    expect(isSafePath('\udcff'.repeat(256))).toBe(false);
    expect(isSafePath('é'.repeat(128))).toBe(false);
  });

  it('refuses a second string for the same bytes', () => {
    expect(encodeBytes('\udcc3\udca9')).toEqual(encodeBytes('é'));
    expect(isSafePath('\udcc3\udca9')).toBe(false);
    expect(isSafePath('\ud800')).toBe(false);
    expect(isLinkTarget('\udcc3\udca9')).toBe(false);
  });
});

describe('isPathHere', () => {
  it.each(['a', 'a/b c', '.gitignore', 'console', 'com', 'com10', 'é', 'a.nul', '~', "it's (1) [2] {3}"])(
    'lets Windows have %j',
    (path) => expect(isPathHere(path, 'win32')).toBe(true),
  );

  it.each([
    'a\\b',
    '..\\a',
    'a:b',
    'C:',
    'con',
    'a/NUL.txt',
    'com1',
    'lpt¹.log',
    'aux .c',
    'a.',
    'a /b',
    'a?',
    'tab\t',
    '\udcff',
  ])('keeps %j from Windows, and from no other system', (path) => {
    expect(isPathHere(path, 'win32')).toBe(false);
    expect(isPathHere(path, 'linux')).toBe(true);
  });
});

describe('isLinkTarget', () => {
  it('takes whatever a link can hold', () => {
    for (const target of ['/etc', '../..', 'a', '\udcff', 'x'.repeat(4095)])
      expect(isLinkTarget(target)).toBe(true);
    for (const target of ['', 'a\0b', 'x'.repeat(4096)]) expect(isLinkTarget(target)).toBe(false);
  });
});

describe('paths', () => {
  it('are in the order of names, a folder before what is in it', () => {
    const paths = ['a', 'a/b', 'a/b/c', 'a/c', 'a b', 'a-b', 'a.b', 'b'];
    expect(paths.toReversed().sort(byPath)).toEqual(paths);
    const name = fc.string({ unit: fc.constantFrom('a', '-', ' ', '0', 'é'), minLength: 1, maxLength: 3 });
    const names = fc.array(name, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(names, names, (a, b) => {
        const at = a.findIndex((each, index) => each !== b[index]);
        const [x, y] = [a[at], b[at]];
        const expected = at === -1 ? a.length - b.length : y === undefined || (x as string) > y ? 1 : -1;
        expect(Math.sign(byPath(a.join('/'), b.join('/')))).toBe(Math.sign(expected));
      }),
    );
  });

  it('know what they are in', () => {
    expect([...foldersOf('a/b/c')]).toEqual(['a/b', 'a']);
    expect([...foldersOf('a')]).toEqual([]);
  });

  it('know git’s own, on any system', () => {
    for (const path of ['.git', '.git/config', 'a/.git/x', '.GIT/hooks/x', 'GIT~1/x'])
      expect(isGitPath(path)).toBe(true);
    for (const path of ['.gitignore', 'a.git', 'git', '.github/x']) expect(isGitPath(path)).toBe(false);
  });

  it('get a suffix that leaves them short enough, and their characters whole', () => {
    expect(withSuffix('a/b.txt', '42')).toBe('a/b.txt.42');
    const bytes = fc
      .uint8Array({ minLength: 1, maxLength: 255 })
      .map((each) => each.map((byte) => byte || 1));
    fc.assert(
      fc.property(bytes, (each) => {
        const name = decodeBytes(each.map((byte) => (byte === 0x2f ? 1 : byte)));
        const longer = withSuffix(`a/${name}`, '42.2');
        expect(encodeBytes(nameOf(longer)).length).toBeLessThanOrEqual(255);
        expect(longer.endsWith('.42.2')).toBe(true);
        expect(isSafePath(longer)).toBe(true);
      }),
    );
    expect(withSuffix('é'.repeat(127), '1')).toBe(`${'é'.repeat(126)}.1`);
  });
});
