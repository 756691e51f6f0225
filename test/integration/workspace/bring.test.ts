import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBytes } from '../../../server/protocol/bytes.ts';
import { bring } from '../../../server/workspace/bring.ts';
import type { Disk } from '../../../server/workspace/disk.ts';
import { type Entry, type FileEntry, type Manifest, manifestOf } from '../../../server/workspace/manifest.ts';
import { place } from '../../../server/workspace/place.ts';
import { ContentStore } from '../../../server/workspace/store.ts';
import { manifest } from '../../unit/workspace/trees.ts';
import { plant, scanAnew, withWorkspace } from './support.ts';

interface Place {
  disk: Disk;
  base: string;
  folder: string;
  store: ContentStore;
  /** Stores a content and gives its entry. */
  file: (contents: string, executable?: boolean) => Promise<FileEntry>;
}

async function withStore(test: (at: Place) => Promise<void>): Promise<void> {
  await withWorkspace(async ({ disk, base, folder }) => {
    const store = await ContentStore.open(disk, join(base, 'content'));
    const file = async (contents: string, executable = false): Promise<FileEntry> => {
      await store.write([contents]);
      const hash = createHash('sha256').update(contents).digest('hex');
      return { kind: 'file', hash, size: Buffer.byteLength(contents), executable };
    };
    await test({ disk, base, folder, store, file });
  });
}

const link = (target: string): Entry => ({ kind: 'link', target });
const nothing: Manifest = manifestOf([]);

describe('place', () => {
  it('writes files, links and folders, and the folders that they are in', async () => {
    await withStore(async ({ folder, store, file }) => {
      expect(await place(store, folder, 'a/b/run', await file('#!', true), null)).toBe(true);
      expect(await place(store, folder, 'a/plain', await file(''), null)).toBe(true);
      expect(await place(store, folder, 'a/\udcff', link('../\udcfe'), null)).toBe(true);
      expect(await place(store, folder, 'a/empty', { kind: 'folder' }, null)).toBe(true);
      expect(await place(store, folder, 'a/empty', { kind: 'folder' }, null)).toBe(true);
      expect(await place(store, folder, `a/${'n'.repeat(255)}`, await file('long'), null)).toBe(true);
      const umask = process.umask();
      expect(statSync(join(folder, 'a/b/run')).mode & 0o777).toBe(0o777 & ~umask);
      expect(statSync(join(folder, 'a/plain')).mode & 0o777).toBe(0o666 & ~umask);
      const target = readlinkSync(encodeBytes(join(folder, 'a/\udcff')), { encoding: 'buffer' });
      expect(target).toEqual(encodeBytes('../\udcfe'));
      expect(readdirSync(join(folder, 'a'), { encoding: 'latin1' }).sort()).toEqual(
        ['b', 'empty', 'n'.repeat(255), 'plain', '\xff'].sort(),
      );
    });
  });

  it('takes the place of what it was told is there, which stays as open to others as it was', async () => {
    await withStore(async ({ folder, store, file }) => {
      plant(folder, { a: 'old', link: '-> old' });
      chmodSync(join(folder, 'a'), 0o640);
      const old = await file('old');
      expect(await place(store, folder, 'a', await file('new', true), old)).toBe(true);
      expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new');
      expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o750);
      expect(await place(store, folder, 'link', link('new'), { kind: 'link', target: 'old' })).toBe(true);
      expect(readlinkSync(join(folder, 'link'))).toBe('new');
      expect(await place(store, folder, 'link', old, { kind: 'link', target: 'new' })).toBe(true);
      expect(lstatSync(join(folder, 'link')).isFile()).toBe(true);
    });
  });

  it('writes nothing where something else is', async () => {
    await withStore(async ({ base, folder, store, file }) => {
      plant(base, { 'outside/x': 'x' });
      plant(folder, { a: 'edited', 'in/': '', out: '-> ../outside', dangling: '-> ../outside/new' });
      const [old, fresh] = [await file('old'), await file('new')];
      for (const [path, replaces] of [
        ['a', null],
        ['a', old],
        ['none', old],
        ['in', null],
        ['in', old],
        ['a/b', null],
        ['out/x', null],
        ['out/new', null],
        ['out', null],
        ['dangling', null],
        ['dangling/x', null],
      ] as const) {
        expect([path, await place(store, folder, path, fresh, replaces)]).toEqual([path, false]);
      }
      expect(await place(store, folder, 'out', { kind: 'folder' }, null)).toBe(false);
      expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('edited');
      expect(readdirSync(join(base, 'outside'))).toEqual(['x']);
      expect(readdirSync(folder).sort()).toEqual(['a', 'dangling', 'in', 'out']);
    });
  });

  it('refuses paths that lead out', async () => {
    await withStore(async ({ folder, store, file }) => {
      for (const path of ['../x', '/tmp/x', 'a/../../x', '', 'a\0']) {
        await expect(place(store, folder, path, await file('x'), null)).rejects.toThrow('can be no file in');
      }
    });
  });

  it('on a full disk says so, and leaves nothing half', async (context) => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return context.skip('only root can mount a disk');
    await withStore(async ({ base, store, file }) => {
      const small = join(base, 'small');
      mkdirSync(small);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', small]);
      try {
        await expect(place(store, small, 'a', await file('x'.repeat(2_000_000)), null)).rejects.toThrow(
          /^Cannot write .*small\/a: ENOSPC.* Free some space there\.$/,
        );
        expect(readdirSync(small)).toEqual([]);
      } finally {
        execFileSync('umount', [small]);
      }
    });
  });

  it('names a content that is missing', async () => {
    await withStore(async ({ folder, store, file }) => {
      const gone = await file('gone');
      rmSync(store.pathOf(gone.hash));
      await expect(place(store, folder, 'a', gone, null)).rejects.toThrow(/is missing from .* Submit again/);
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});

describe('bring', () => {
  it('makes an empty folder what the run’s is', { timeout: 120_000 }, async () => {
    await withStore(async ({ disk, base, store, file }) => {
      let number = 0;
      const files = await Promise.all(['zero', 'one', 'two'].map((contents) => file(contents)));
      await fc.assert(
        fc.asyncProperty(manifest, async (drawn) => {
          const folder = join(base, `result-${number++}`);
          mkdirSync(folder);
          const result = manifestOf(
            [...drawn].map(([path, entry]) => [
              path,
              entry.kind === 'file'
                ? { ...(files[Number(entry.hash[0])] as FileEntry), executable: entry.executable }
                : entry,
            ]),
          );
          await bring(store, folder, nothing, result, '42');
          expect([...(await scanAnew(disk, folder)).manifest]).toEqual([...result]);
        }),
        { numRuns: 50 },
      );
    });
  });

  it('keeps what a person edited, ignored or not, and does no more the second time', async () => {
    await withStore(async ({ folder, store, file }) => {
      plant(folder, { '.gitignore': '*.log', 'a.log': 'mine', same: 'old', edited: 'mine' });
      const [old, fresh] = [await file('old'), await file('new')];
      const base = manifestOf([
        ['same', old],
        ['edited', old],
      ]);
      const result = manifestOf([
        ['same', fresh],
        ['edited', fresh],
        ['a.log', fresh],
        ['in/b', fresh],
      ]);
      const landing = await bring(store, folder, base, result, '42');
      expect(landing.aside).toEqual([
        { path: 'a.log', copy: 'a.log.42' },
        { path: 'edited', copy: 'edited.42' },
      ]);
      const read = (name: string) => readFileSync(join(folder, name), 'utf8');
      expect(['a.log', 'a.log.42', 'edited', 'edited.42', 'same', 'in/b'].map(read)).toEqual([
        'mine',
        'new',
        'mine',
        'new',
        'new',
        'new',
      ]);
      const again = await bring(store, folder, landing.base, result, '42');
      expect(again.writes).toEqual([]);
      // As after a crash in between.
      const repeated = await bring(store, folder, base, result, '42');
      expect(repeated.writes).toEqual([]);
      expect(readdirSync(folder).sort()).toEqual([
        '.gitignore',
        'a.log',
        'a.log.42',
        'edited',
        'edited.42',
        'in',
        'same',
      ]);
    });
  });

  it('goes around a link to somewhere else', async () => {
    await withStore(async ({ base, folder, store, file }) => {
      plant(base, { 'outside/x': 'mine' });
      symlinkSync('../outside', join(folder, 'data'));
      const fresh = await file('new');
      const { aside } = await bring(
        store,
        folder,
        nothing,
        manifestOf([
          ['data/x', fresh],
          ['data/y', fresh],
        ]),
        '42',
      );
      expect(aside).toEqual([{ path: 'data', copy: 'data.42' }]);
      expect(readFileSync(join(folder, 'data.42/y'), 'utf8')).toBe('new');
      expect(readFileSync(join(base, 'outside/x'), 'utf8')).toBe('mine');
      expect(existsSync(join(base, 'outside/y'))).toBe(false);
    });
  });

  it('keeps an edit that is made while it writes', async () => {
    await withStore(async ({ disk, base, folder, file }) => {
      const [old, fresh, mine] = [await file('old'), await file('new'), 'mine'];
      const edits: [string, () => void][] = [
        ['replaced', () => renameSync(join(base, 'draft'), join(folder, 'a'))],
        ['written to', () => writeFileSync(join(folder, 'a'), mine)],
        ['made', () => writeFileSync(join(folder, 'b'), mine)],
      ];
      for (const [name, edit] of edits) {
        for (const entry of readdirSync(folder)) rmSync(join(folder, entry));
        writeFileSync(join(folder, 'a'), 'old');
        writeFileSync(join(base, 'draft'), mine);
        // Somebody is faster: when it has looked, and before it writes.
        let isFirst = true;
        const late = new Proxy(disk, {
          get(target, key) {
            if (key === 'exchange' && isFirst) {
              isFirst = false;
              edit();
            }
            const value: unknown = Reflect.get(target, key, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
        const store = await ContentStore.open(late, join(base, 'content'));
        const result = manifestOf([
          ['a', fresh],
          ['b', fresh],
        ]);
        const { aside } = await bring(store, folder, manifestOf([['a', old]]), result, '42');
        const edited = name === 'made' ? 'b' : 'a';
        expect([name, aside]).toEqual([name, [{ path: edited, copy: `${edited}.42` }]]);
        expect(readFileSync(join(folder, edited), 'utf8')).toBe(mine);
        expect(readFileSync(join(folder, `${edited}.42`), 'utf8')).toBe('new');
      }
    });
  });

  it('leaves out links, and says so, where the file system has none', async (context) => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return context.skip('only root may try to write among the terminals');
    await withStore(async ({ store }) => {
      const result = manifestOf([['vbatch-latest', link('x')]]);
      const { withheld } = await bring(store, '/dev/pts', nothing, result, '42');
      const why = 'it is a link, and this system lets you make none';
      expect(withheld).toEqual([{ path: 'vbatch-latest', why }]);
      await expect(place(store, '/dev/pts', 'vbatch-latest', link('x'), null)).rejects.toThrow(
        'Developer Mode',
      );
    });
  });
});
