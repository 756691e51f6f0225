import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../server/workspace/disk.ts';
import { HashCache } from '../../../server/workspace/hashCache.ts';
import { manifestOf } from '../../../server/workspace/manifest.ts';
import { decodeManifest, encodeManifest, hashManifest } from '../../../server/workspace/manifestText.ts';
import { scan } from '../../../server/workspace/scan.ts';
import { ContentStore } from '../../../server/workspace/store.ts';
import { plant, plenty, withWorkspace } from './support.ts';

const sha256 = (contents: string | Buffer) => createHash('sha256').update(contents).digest('hex');

async function withStore(
  test: (place: { disk: Disk; base: string; folder: string; store: ContentStore }) => Promise<void>,
): Promise<void> {
  await withWorkspace(async ({ disk, base, folder }) => {
    await test({ disk, base, folder, store: await ContentStore.open(disk, join(base, 'content')) });
  });
}

/** All files below, with what they hold. */
function everything(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

const placeOf = (contents: string) => `${sha256(contents).slice(0, 2)}/${sha256(contents).slice(2)}`;
const file = (folder: string, name: string) => ({ path: join(folder, name), size: 1 });

describe('a content store', () => {
  it('keeps each content once, under its hash, for its owner alone', async () => {
    await withStore(async ({ folder, store }) => {
      plant(folder, { a: 'hello', b: 'hello', 'c\udcff': 'other', link: '-> a', 'in/': '' });
      const names = ['a', 'b', 'c\udcff', 'link', 'in', 'none'];
      const read = await store.read(names.map((name) => file(folder, name)));
      expect(read.map(({ kind }) => kind)).toEqual(['file', 'file', 'file', 'link', 'folder', 'gone']);
      expect(everything(store.folder)).toEqual({ [placeOf('hello')]: 'hello', [placeOf('other')]: 'other' });
      expect(statSync(store.pathOf(sha256('hello'))).mode & 0o777).toBe(0o600);
      expect([store.count, store.bytes]).toEqual([2, 10]);
      expect(store.has(sha256('hello'), 5)).toBe(true);
      expect(store.has(sha256('hello'), 4)).toBe(false);
      expect(store.has(sha256('none'), 4)).toBe(false);
      const handle = await store.open(sha256('other'));
      expect(await handle.readFile('utf8')).toBe('other');
      await handle.close();
      await expect(store.open(sha256('none'))).rejects.toThrow(
        /^The content .* is missing from .*content\. Submit/,
      );
    });
  });

  it('keeps holes as holes', async () => {
    await withStore(async ({ folder, store }) => {
      plant(folder, {
        sparse: '',
        odd: Buffer.concat([Buffer.alloc(2_000_000), Buffer.from('x'), Buffer.alloc(1_500_000)]),
      });
      truncateSync(join(folder, 'sparse'), 300_000_000);
      const read = await store.read(['sparse', 'odd'].map((name) => file(folder, name)));
      for (const [index, name] of ['sparse', 'odd'].entries()) {
        const found = read[index];
        if (found?.kind !== 'file') throw new Error('no file');
        expect(statSync(store.pathOf(found.hash)).blocks * 512).toBeLessThan(3_000_000);
        execFileSync('cmp', [join(folder, name), store.pathOf(found.hash)]);
      }
    });
  });

  it('knows what it holds when it is opened again, and removes what was not finished', async () => {
    await withStore(async ({ disk, folder, store }) => {
      plant(folder, { a: 'hello' });
      await store.read([file(folder, 'a')]);
      await store.sync();
      writeFileSync(join(store.folder, 'unfinished/7'), 'half');
      const again = await ContentStore.open(disk, store.folder);
      expect(again.has(sha256('hello'), 5)).toBe(true);
      expect(again.bytes).toBe(5);
      expect(everything(store.folder)).toEqual({ [placeOf('hello')]: 'hello' });
    });
  });

  it('takes a file only if it is what it should be', async () => {
    await withStore(async ({ folder, store }) => {
      plant(folder, { a: 'hello', b: 'hallo' });
      expect(await store.adopt(join(folder, 'a'), sha256('hello'), 5)).toBe(true);
      expect(await store.adopt(join(folder, 'b'), sha256('hello'), 5)).toBe(false);
      expect(await store.adopt(join(folder, 'none'), sha256('hello'), 5)).toBe(false);
      expect(everything(store.folder)).toEqual({ [placeOf('hello')]: 'hello' });
      expect(readdirSync(folder)).not.toContain('a');
      expect(readdirSync(folder)).not.toContain('b');
    });
  });

  it('stores a manifest under its own hash', async () => {
    await withStore(async ({ store }) => {
      const from = manifestOf([['a/\udcff', { kind: 'link', target: 'x' }]]);
      const hash = await store.write(encodeManifest(from));
      expect(hash).toBe(await hashManifest(from));
      const handle = await store.open(hash);
      expect([...(await decodeManifest(handle.createReadStream(), hash))]).toEqual([...from]);
    });
  });

  it('with a scan holds what the manifest says, whatever happens to the files meanwhile', {
    timeout: 120_000,
  }, async () => {
    await withStore(async ({ disk, base, folder, store }) => {
      for (let at = 0; at < 50; at++) writeFileSync(join(folder, `f${at}`), '');
      const script = 'echo on; n=0; while :; do n=$((n + 1)); echo "$n" >"$1/f$((n % 50))"; done';
      const writer = spawn('sh', ['-c', script, 'sh', folder]);
      await once(writer.stdout, 'data');
      try {
        for (let round = 0; round < 20; round++) {
          const cache = await HashCache.load(join(base, 'cache'));
          const { manifest } = await scan(disk, folder, cache, store, plenty);
          expect(manifest.size).toBe(50);
          for (const entry of manifest.values()) {
            if (entry.kind !== 'file') throw new Error('no file');
            expect(store.has(entry.hash, entry.size)).toBe(true);
            const contents = readFileSync(store.pathOf(entry.hash));
            expect([sha256(contents), contents.length]).toEqual([entry.hash, entry.size]);
          }
        }
      } finally {
        writer.kill('SIGKILL');
      }
    });
  });

  it('with a scan is given again what the cache knows and the store has lost', async () => {
    await withStore(async ({ disk, base, folder, store }) => {
      plant(folder, { a: 'hello' });
      const pass = async (to: ContentStore) =>
        scan(disk, folder, await HashCache.load(join(base, 'cache')), to, plenty);
      await pass(store);
      const other = await ContentStore.open(disk, join(base, 'other'));
      await pass(other);
      expect(other.has(sha256('hello'), 5)).toBe(true);
    });
  });

  it('mends a content that a crash has cut short', async () => {
    await withStore(async ({ disk, folder, store }) => {
      plant(folder, { a: 'hello' });
      await store.read([file(folder, 'a')]);
      truncateSync(store.pathOf(sha256('hello')), 0);
      const again = await ContentStore.open(disk, store.folder);
      expect(again.has(sha256('hello'), 5)).toBe(false);
      await again.read([file(folder, 'a')]);
      expect(again.has(sha256('hello'), 5)).toBe(true);
      expect(readFileSync(store.pathOf(sha256('hello')), 'utf8')).toBe('hello');
      expect(again.bytes).toBe(5);
    });
  });

  it('removes what nobody needs, but nothing that was stored or asked for since the mark', async () => {
    await withStore(async ({ folder, store }) => {
      plant(folder, { needed: 'n', asked: 'a', 'stored before': 'b', again: 'g', new: 'w' });
      await store.read(['needed', 'asked', 'stored before', 'again'].map((name) => file(folder, name)));
      const mark = store.mark();
      expect(store.has(sha256('a'), 1)).toBe(true);
      await store.read(['again', 'new'].map((name) => file(folder, name)));
      expect(await store.collect(mark, (hash) => hash === sha256('n'))).toBe(1);
      expect(Object.values(everything(store.folder)).sort()).toEqual(['a', 'g', 'n', 'w']);
      expect(store.bytes).toBe(4);
      expect(store.has(sha256('b'), 1)).toBe(false);
    });
  });

  it('collecting while the same contents are stored again loses none that is said to be there', async () => {
    await withStore(async ({ folder, store }) => {
      const names = Array.from({ length: 100 }, (_, at) => String(at));
      plant(folder, Object.fromEntries(names.map((name) => [name, name])));
      const store100 = () => Promise.all(names.map((name) => store.read([file(folder, name)])));
      await store100();
      for (let round = 0; round < 10; round++) {
        await Promise.all([store.collect(store.mark(), () => false), store100()]);
        for (const name of names) {
          if (store.has(sha256(name), name.length)) expect(existsSync(store.pathOf(sha256(name)))).toBe(true);
        }
      }
    });
  });

  it('shares the blocks of files where the file system can', async (context) => {
    await withWorkspace(async ({ disk, base }) => {
      const [image, mounted] = [join(base, 'image'), join(base, 'mounted')];
      mkdirSync(mounted);
      writeFileSync(image, '');
      truncateSync(image, 200 * 2 ** 20);
      try {
        execFileSync('mkfs.btrfs', ['-q', image], { stdio: 'pipe' });
        execFileSync('mount', ['-o', 'loop', image, mounted], { stdio: 'pipe' });
      } catch (error) {
        return context.skip(`no file system that can could be mounted: ${String(error)}`);
      }
      try {
        const folder = join(mounted, 'work');
        plant(folder, { big: Buffer.alloc(50_000_000, 'x'), small: 's', empty: '' });
        chmodSync(join(folder, 'small'), 0o755);
        execFileSync('sync', ['-f', folder]);
        const free = () => statfsSync(mounted).bfree * 4096;
        const before = free();
        const store = await ContentStore.open(disk, join(mounted, 'content'));
        const settled = Date.now() + 2_100;
        while (Date.now() < settled) await new Promise((resolve) => setTimeout(resolve, 100));
        const { manifest } = await scan(
          disk,
          folder,
          await HashCache.load(join(base, 'cache')),
          store,
          plenty,
        );
        expect(manifest.get('small')).toEqual({ kind: 'file', hash: sha256('s'), size: 1, executable: true });
        expect(
          Object.values(everything(store.folder))
            .map((each) => each.length)
            .sort((a, b) => a - b),
        ).toEqual([0, 1, 50_000_000]);
        await store.sync();
        execFileSync('sync', ['-f', folder]);
        expect(before - free()).toBeLessThan(20_000_000);
        const known = readFileSync(join(base, 'cache'), 'utf8');
        expect(known.split('\n').filter((line) => line.startsWith('["'))).toHaveLength(3);
      } finally {
        execFileSync('umount', [mounted]);
      }
    });
  });

  it('on a full disk says so, shows nothing half, and goes on when there is room', async (context) => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return context.skip('only root can mount a disk');
    await withWorkspace(async ({ disk, base, folder }) => {
      const small = join(base, 'small');
      mkdirSync(small);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4M', 'tmpfs', small]);
      try {
        const store = await ContentStore.open(disk, join(small, 'content'));
        plant(folder, { a: Buffer.alloc(3_000_000, 'a'), b: Buffer.alloc(3_000_000, 'b') });
        await store.read([file(folder, 'a')]);
        await expect(store.read([file(folder, 'b')])).rejects.toMatchObject({
          code: 'diskFull',
          message: expect.stringMatching(/^Cannot store files in .*: ENOSPC.* Free some space there\.$/),
        });
        expect(Object.keys(everything(store.folder))).toHaveLength(1);
        expect(store.bytes).toBe(3_000_000);
        // Of what holes are, nothing has to be there.
        truncateSync(join(folder, 'a'), 0);
        truncateSync(join(folder, 'a'), 100_000_000);
        await store.read([file(folder, 'a')]);
        // It makes room of what nobody needs, and leaves some to others.
        store.whenFull = () => store.collect(store.mark(), () => false);
        const [read] = await store.read([file(folder, 'b')]);
        expect(read).toMatchObject({ kind: 'file', size: 3_000_000 });
        store.whenFull = null;
        await expect(store.put([Buffer.alloc(1_100_000)])).rejects.toThrow(
          /ENOSPC: 2 MB are free, and 2 MB more would leave less than the 1 MB that are kept/,
        );
      } finally {
        execFileSync('umount', [small]);
      }
    });
  });
});
