import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apply,
  commit,
  diff,
  type Entry,
  emptyManifest,
  type Manifest,
  manifestOf,
  sameEntry,
} from '../../../server/workspace/manifest.ts';
import { byPath, parentOf } from '../../../server/workspace/paths.ts';
import { change, manifest, manifestOfTree, treeOfManifest } from './trees.ts';

const file = (digit: string): Entry => ({ kind: 'file', hash: digit.repeat(64), size: 1, executable: false });
const [one, two, three] = [file('1'), file('2'), file('3')] as const;
const list = (entries: Manifest) => [...entries];

/** In order, each path once, and nothing in what is no folder. */
function expectWhole(entries: Manifest) {
  const paths = [...entries.keys()];
  expect(paths).toEqual(paths.toSorted(byPath));
  for (const path of paths) {
    if (parentOf(path) !== '') expect(entries.get(parentOf(path))).toEqual({ kind: 'folder' });
  }
}

describe('apply and diff', () => {
  it('what differs between two folders makes one out of the other', () => {
    fc.assert(
      fc.property(manifest, manifest, (from, to) => {
        const changes = diff(from, to);
        expect(list(apply(from, changes))).toEqual(list(to));
        for (const { path, entry } of changes) {
          expect(sameEntry(from.get(path), entry)).toBe(false);
          expect(to.get(path) ?? null).toEqual(entry);
        }
        expect(diff(to, to)).toEqual([]);
      }),
    );
  });

  it('changes of one folder do to another what a file system would', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(manifest, manifest, manifest, (base, after, current) => {
        const changes = diff(base, after);
        const changed = apply(current, changes);
        expectWhole(changed);
        expect(list(changed)).toEqual(list(manifestOfTree(change(treeOfManifest(current), changes))));
        expect(list(apply(changed, changes))).toEqual(list(changed));
      }),
      { numRuns: 1000 },
    );
  });

  it('a folder that is emptied is not a folder that is removed', () => {
    const full = manifestOf([['a/b/c', one]]);
    const emptied = manifestOf([['a/b', { kind: 'folder' }]]);
    expect(list(apply(full, diff(full, emptied)))).toEqual(list(emptied));
    expect(list(apply(full, diff(full, emptyManifest)))).toEqual([]);
  });

  it('50,000 files in well under the time that anybody would notice', () => {
    const all = Array.from({ length: 50_000 }, (_, at): [string, Entry] => [
      `d${at % 500}/file-${at}.txt`,
      one,
    ]);
    const from = manifestOf(all);
    const to = manifestOf(all.map(([path, entry], at) => [path, at % 1000 === 0 ? two : entry]));
    const began = performance.now();
    const changes = diff(from, to);
    const changed = apply(from, changes);
    const took = performance.now() - began;
    expect(changes).toHaveLength(50);
    expect(changed.size).toBe(50_500);
    expect(took).toBeLessThan(500);
  });
});

describe('commit', () => {
  it('of one task after another is the last one’s work on top, and lists what went', {
    timeout: 120_000,
  }, () => {
    fc.assert(
      fc.property(manifest, manifest, manifest, (base, first, second) => {
        const early = commit(base, base, diff(base, first));
        expect(list(early.manifest)).toEqual(list(first));
        expect(early.conflicts).toEqual([]);

        const changes = diff(base, second);
        const late = commit(base, first, changes);
        expectWhole(late.manifest);
        // What the later end left is there.
        for (const { path, entry } of changes) {
          if (entry) expect(late.manifest.get(path)).toEqual(entry);
          else if (first.get(path)?.kind !== 'folder') expect(late.manifest.get(path)?.kind).not.toBe('file');
        }
        // Whatever the first one wrote is there, or is in the list.
        const lost = [...first].filter(
          ([path, entry]) =>
            entry.kind !== 'folder' &&
            !sameEntry(entry, base.get(path)) &&
            !sameEntry(entry, late.manifest.get(path)),
        );
        expect(late.conflicts.map(({ path, lost: entry }) => [path, entry])).toEqual(lost);
        for (const { path, kept } of late.conflicts) expect(kept).toEqual(late.manifest.get(path) ?? null);
      }),
      { numRuns: 1000 },
    );
  });

  it('of tasks that write different files keeps both, whichever ends first', () => {
    fc.assert(
      fc.property(manifest, fc.boolean(), (base, isSwapped) => {
        const [left, right] = [manifestOf([...base, ['left', one]]), manifestOf([...base, ['right/x', two]])];
        const [first, second] = isSwapped ? [right, left] : [left, right];
        const early = commit(base, base, diff(base, first)).manifest;
        const { manifest: both, conflicts } = commit(base, early, diff(base, second));
        expect(conflicts).toEqual([]);
        expect(list(both)).toEqual(list(manifestOf([...base, ['left', one], ['right/x', two]])));
      }),
    );
  });

  it('two tasks that write the same path: the later end wins, and the other is listed', () => {
    const base = manifestOf([['a', one]]);
    const { manifest: after, conflicts } = commit(base, manifestOf([['a', two]]), [
      { path: 'a', entry: three },
    ]);
    expect(after.get('a')).toEqual(three);
    expect(conflicts).toEqual([{ path: 'a', lost: two, kept: three }]);
  });

  it('the same content written twice is no conflict', () => {
    const current = manifestOf([['a', two]]);
    expect(commit(emptyManifest, current, [{ path: 'a', entry: two }]).conflicts).toEqual([]);
  });

  it('a file in the place of a folder lists what others wrote there, and the other way round', () => {
    const base = manifestOf([['a/old', one]]);
    const ended = manifestOf([
      ['a/old', one],
      ['a/new', two],
    ]);
    const replaced = commit(base, ended, diff(base, manifestOf([['a', three]])));
    expect([...replaced.manifest.keys()]).toEqual(['a']);
    expect(replaced.conflicts).toEqual([{ path: 'a/new', lost: two, kept: null }]);

    const back = commit(emptyManifest, manifestOf([['a', three]]), [{ path: 'a/x', entry: one }]);
    expect([...back.manifest.keys()]).toEqual(['a', 'a/x']);
    expect(back.conflicts).toEqual([{ path: 'a', lost: three, kept: { kind: 'folder' } }]);
  });

  it('a folder that one task removed and another wrote to stays, with what was written', () => {
    const base = manifestOf([['a/old', one]]);
    const ended = manifestOf([
      ['a/old', one],
      ['a/new', two],
    ]);
    const { manifest: after, conflicts } = commit(base, ended, diff(base, emptyManifest));
    expect([...after.keys()]).toEqual(['a', 'a/new']);
    expect(conflicts).toEqual([]);
  });
});
