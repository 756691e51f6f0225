import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Landing, land as landWhere } from '../../../server/workspace/landing.ts';
import {
  type Entry,
  emptyManifest,
  type Manifest,
  manifestOf,
  sameEntry,
} from '../../../server/workspace/manifest.ts';
import { foldersOf, isGitPath, isPathHere } from '../../../server/workspace/paths.ts';
import { entriesOf, manifest, type Tree, treeOfManifest } from './trees.ts';

const file = (digit: string): Entry => ({ kind: 'file', hash: digit.repeat(64), size: 1, executable: false });
const [one, two, three] = [file('1'), file('2'), file('3')] as const;
const folder: Entry = { kind: 'folder' };

function land(base: Manifest, local: Manifest, result: Manifest, suffix: string): Landing {
  return landWhere(base, local, result, suffix, () => true);
}

/** Writes into a folder as a file system lets one, and fails where it would. */
function perform(local: Manifest, { writes }: Landing): Manifest {
  const tree = treeOfManifest(local);
  for (const { path, entry, replaces } of writes) {
    const names = path.split('/');
    const name = names.pop() as string;
    let at: Tree = tree;
    for (const each of names) {
      const next = at.get(each) ?? new Map();
      if (!(next instanceof Map)) throw new Error(`${path} would be written through ${each}`);
      at.set(each, next);
      at = next;
    }
    const there = at.get(name);
    if (there instanceof Map) throw new Error(`${path} is a folder`);
    expect(there ?? null).toEqual(replaces);
    at.set(name, entry.kind === 'folder' ? new Map() : entry);
  }
  return manifestOf(entriesOf(tree));
}

/** Where the landing has put what the result has at this path. */
function placeOf(path: string, { aside }: Landing): string {
  let place = path;
  for (const each of [path, ...foldersOf(path)]) {
    const moved = aside.findLast((one) => one.path === each);
    if (moved) return moved.copy + place.slice(each.length);
  }
  return place;
}

describe('land', () => {
  it('keeps all that a person touched, removes nothing, and brings all that the run made', {
    timeout: 120_000,
  }, () => {
    fc.assert(
      fc.property(manifest, manifest, manifest, (base, local, result) => {
        const landing = land(base, local, result, '7');
        const after = perform(local, landing);

        for (const [path, entry] of local) {
          const isUntouched = sameEntry(entry, base.get(path));
          if (!isUntouched || entry.kind === 'folder') expect(after.get(path)).toEqual(entry);
          expect(after.has(path)).toBe(true);
        }
        for (const [path, entry] of result) {
          if (sameEntry(entry, base.get(path))) continue;
          expect(after.get(placeOf(path, landing))).toEqual(entry);
        }
        // Nothing is written that the result does not have.
        for (const { path, entry } of landing.writes) {
          const origins = [...result].filter(([each]) => placeOf(each, landing) === path);
          expect(entry.kind === 'folder' ? entry : origins.map(([, each]) => each)).toEqual(
            entry.kind === 'folder' ? folder : [entry],
          );
        }
        // What has landed does not land again.
        const again = land(landing.base, after, result, '7');
        expect(again.writes).toEqual([]);
        expect(again.aside).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('lands one result after another as the last alone, while nobody touches the folder', {
    timeout: 120_000,
  }, () => {
    fc.assert(
      fc.property(manifest, manifest, manifest, (base, first, second) => {
        const early = land(base, base, first, '7');
        const between = perform(base, early);
        const late = land(early.base, between, second, '7');
        const after = perform(between, late);
        for (const [path, entry] of second) {
          if (sameEntry(entry, base.get(path)) && sameEntry(entry, first.get(path))) continue;
          const places = [placeOf(path, late), placeOf(path, early), path].map((each) => after.get(each));
          expect(places).toContainEqual(entry);
        }
      }),
    );
  });

  it('overwrites what is as it was, and puts a second copy beside what was edited', () => {
    const base = manifestOf([
      ['same', one],
      ['edited', one],
    ]);
    const local = manifestOf([
      ['same', one],
      ['edited', two],
    ]);
    const result = manifestOf([
      ['same', three],
      ['edited', three],
      ['new', three],
    ]);
    const { writes, aside } = land(base, local, result, '42');
    expect(writes).toEqual([
      { path: 'edited.42', entry: three, replaces: null },
      { path: 'new', entry: three, replaces: null },
      { path: 'same', entry: three, replaces: one },
    ]);
    expect(aside).toEqual([{ path: 'edited', copy: 'edited.42' }]);
  });

  it('renews its own copy while nobody touches that, and makes another one when somebody did', () => {
    const local = manifestOf([['a', two]]);
    const first = land(emptyManifest, local, manifestOf([['a', one]]), '42');
    const landed = perform(local, first);
    const second = land(first.base, landed, manifestOf([['a', three]]), '42');
    expect(second.writes).toEqual([{ path: 'a.42', entry: three, replaces: one }]);

    const edited = manifestOf([...landed, ['a.42', two]]);
    const other = land(first.base, edited, manifestOf([['a', three]]), '42');
    expect(other.writes).toEqual([{ path: 'a.42.2', entry: three, replaces: null }]);
  });

  it('finds a name for the copy that nothing else has', () => {
    const local = manifestOf([
      ['a', two],
      ['a.42.2', two],
    ]);
    const result = manifestOf([
      ['a', one],
      ['a.42', one],
    ]);
    expect(land(emptyManifest, local, result, '42').aside).toEqual([{ path: 'a', copy: 'a.42.3' }]);
  });

  it('removes nothing', () => {
    const base = manifestOf([['a/b', one]]);
    expect(land(base, base, emptyManifest, '42').writes).toEqual([]);
    const { writes, aside } = land(base, base, manifestOf([['a', two]]), '42');
    expect(writes).toEqual([{ path: 'a.42', entry: two, replaces: null }]);
    expect(aside).toEqual([{ path: 'a', copy: 'a.42' }]);
  });

  it('writes nothing through a link that stands for a folder', () => {
    const base = manifestOf([['data', folder]]);
    const local = manifestOf([['data', { kind: 'link', target: '/etc' }]]);
    const { writes } = land(base, local, manifestOf([['data/passwd', one]]), '42');
    expect(writes).toEqual([
      { path: 'data.42', entry: folder, replaces: null },
      { path: 'data.42/passwd', entry: one, replaces: null },
    ]);
  });

  it('leaves .git alone', () => {
    const result = manifestOf([
      ['.git/hooks/post-checkout', one],
      ['a/.Git', one],
      ['b', one],
    ]);
    const { writes, withheld, base } = land(emptyManifest, emptyManifest, result, '42');
    expect(writes.some(({ path }) => isGitPath(path))).toBe(false);
    const why = 'it belongs to git';
    expect(withheld).toEqual(
      ['.git', '.git/hooks', '.git/hooks/post-checkout', 'a/.Git'].map((path) => ({ path, why })),
    );
    expect(
      land(
        base,
        manifestOf([
          ['a', folder],
          ['b', one],
        ]),
        result,
        '42',
      ).withheld,
    ).toEqual([]);
  });

  it('keeps out what Windows would take for something else, and says so once', () => {
    const result = manifestOf([
      ['a', one],
      ['b/notes.txt:stream', one],
      ['b/c', one],
      ['..\\..\\up', one],
    ]);
    const isOfWindows = (path: string) => isPathHere(path, 'win32');
    const { writes, withheld, base } = landWhere(emptyManifest, emptyManifest, result, '42', isOfWindows);
    expect(writes.map(({ path }) => path)).toEqual(['a', 'b', 'b/c']);
    const why = 'no file of this system can have that name';
    expect(withheld).toEqual(['..\\..\\up', 'b/notes.txt:stream'].map((path) => ({ path, why })));
    expect(landWhere(base, manifestOf([['a', one]]), result, '42', isOfWindows).withheld).toEqual([]);
  });
});
