import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLook } from '../../../server/travel/look.ts';
import { fromLatin1, latin1 } from '../../../server/workspace/disk.ts';
import { type Entry, folderEntry, type Manifest, manifestOf } from '../../../server/workspace/manifest.ts';

const hash = 'a'.repeat(64);
const none: Manifest = new Map();

/** Names of any bytes that a file can have, but for those that stand for a newline and for each other. */
const name = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((bytes) =>
    fromLatin1(Buffer.from(bytes.map((byte) => (byte <= 2 || byte === 47 ? 65 : byte))).toString('latin1')),
  )
  .filter((text) => text !== '.' && text !== '..' && text !== '.git' && text !== '__pycache__');

const line = (kind: string, path: string, target = '', mark = '+') =>
  `${mark} ${kind} 12 3 99.5 644 ${latin1(path + target).replaceAll('\n', '\u0001')}`;

describe('what a host tells of a folder', () => {
  it('is read whatever the names are', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.constantFrom('f', 'l', 'd')), { selector: ([path]) => path }),
        (files) => {
          const lines = files.map(([path, kind]) => line(kind, path, kind === 'l' ? '//to/../where' : ''));
          const hashes = files.filter(([, kind]) => kind === 'f').map(() => hash);
          const entries = files.map(([path, kind]): [string, Entry] => [
            path,
            kind === 'f'
              ? { kind: 'file', hash, size: 3, executable: false }
              : kind === 'l'
                ? { kind: 'link', target: 'to/../where' }
                : folderEntry,
          ]);
          const found = readLook([...lines, ...hashes], none);
          expect(new Map(found.changes.map(({ path, entry }) => [path, entry]))).toEqual(manifestOf(entries));
          expect(found.notes).toEqual([]);
        },
      ),
    );
  });

  it.each(['../out', '/etc/passwd', 'a/../../b', 'a/./b', '.', 'x'.repeat(256), `${'d/'.repeat(2_100)}f`])(
    'is refused and reported where a name leads out or cannot be one: %s',
    (path) => {
      const found = readLook([line('f', path), line('f', 'good'), hash, hash], none);
      expect(found.changes.map((change) => change.path)).toEqual(['good']);
      expect(found.notes).toHaveLength(1);
      // Nor can it have anything removed.
      expect(readLook([line('f', path, '', '-')], manifestOf([['good', folderEntry]])).changes).toEqual([]);
    },
  );

  it('is no file of .git, of Python’s caches, or in the making', () => {
    const paths = [
      '.git/hooks/post-checkout',
      'sub/.GIT/config',
      'a/__pycache__/x.pyc',
      '.vbatch-0123456789abcdef.part',
    ];
    expect(
      readLook([...paths.map((path) => line('f', path)), ...paths.map(() => hash)], none).changes,
    ).toEqual([]);
  });

  it('says of files that they cannot be read, and nothing of those that are gone', () => {
    const found = readLook([line('f', 'a'), line('f', 'b'), line('f', 'c'), 'gone', 'denied', hash], none);
    expect(found.changes.map(({ path }) => path)).toEqual(['c']);
    expect(found.notes).toEqual(['b cannot be read there and stays there']);
    expect(() => readLook([line('f', 'a')], none)).toThrow(/neither sha256sum nor shasum/);
    expect(() => readLook([line('f', 'a'), line('f', 'b'), hash], none)).toThrow(/does not tell/);
  });
});
