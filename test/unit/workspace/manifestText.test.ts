import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Manifest, manifestOf } from '../../../server/workspace/manifest.ts';
import { decodeManifest, encodeManifest, hashManifest } from '../../../server/workspace/manifestText.ts';
import { manifest } from './trees.ts';

const header = '{"vbatch":"manifest","format":1}';
const hash = '0'.repeat(64);

const textOf = (from: Manifest) => [...encodeManifest(from)].join('');

/** The text in pieces of this many bytes. */
function pieces(text: string, length: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) =>
    bytes.subarray(at * length, (at + 1) * length),
  );
}

describe('the text of a manifest', () => {
  it('is read back as what it was, whatever the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(manifest, fc.integer({ min: 1, max: 200 }), async (from, length) => {
        expect([...(await decodeManifest(pieces(textOf(from), length), 'x'))]).toEqual([...from]);
      }),
    );
  });

  it('is the same for the same folder, and so is its hash', async () => {
    await fc.assert(
      fc.asyncProperty(manifest, async (from) => {
        const again = manifestOf([...from].reverse());
        expect(textOf(again)).toBe(textOf(from));
        expect(await hashManifest(again)).toBe(createHash('sha256').update(textOf(from)).digest('hex'));
      }),
    );
  });

  it('holds any name that a file can have', async () => {
    const from = manifestOf([
      ['new\nline "quoted" \\', { kind: 'file', hash, size: 0, executable: true }],
      ['\udcff\udcfe', { kind: 'link', target: '../\udc80' }],
      ['n'.repeat(255), { kind: 'folder' }],
      ['😀', { kind: 'folder' }],
    ]);
    expect([...(await decodeManifest(pieces(textOf(from), 7), 'x'))]).toEqual([...from]);
  });

  it.each([
    ['nothing', '', 'line 1 breaks off'],
    ['another header', '{}\n', 'line 1 is another header'],
    ['a line that breaks off', `${header}\n["d","a"]`, 'line 2 breaks off'],
    ['no JSON', `${header}\nx\n`, 'line 2 is not an entry'],
    ['another kind', `${header}\n["q","a"]\n`, 'not an entry'],
    ['a path that leads out', `${header}\n["d",".."]\n`, 'not an entry'],
    ['an absolute path', `${header}\n["d","/a"]\n`, 'not an entry'],
    [
      'something in a link',
      `${header}\n["l","a","/etc"]\n["f","a/b","${hash}",1]\n`,
      'line 3 is in no folder',
    ],
    ['something in nothing', `${header}\n["f","a/b","${hash}",1]\n`, 'is in no folder'],
    ['a path twice', `${header}\n["d","a"]\n["d","a"]\n`, 'line 3 is out of order'],
    ['another order', `${header}\n["d","b"]\n["d","a"]\n`, 'out of order'],
    ['a wrong hash', `${header}\n["f","a","${'0'.repeat(63)}",1]\n`, 'not an entry'],
    ['a size below zero', `${header}\n["f","a","${hash}",-1]\n`, 'not an entry'],
    ['an empty target', `${header}\n["l","a",""]\n`, 'not an entry'],
    ['more than an entry', `${header}\n["d","a",1]\n`, 'not an entry'],
  ])('with %s is refused', async (_, text, why) => {
    await expect(decodeManifest([Buffer.from(text)], 'what came')).rejects.toThrow(
      new RegExp(`^what came is not a manifest of vbatch: .*${why}`),
    );
  });
});
