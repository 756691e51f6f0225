import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../server/workspace/disk.ts';
import { HashCache } from '../../../server/workspace/hashCache.ts';
import type { FileEntry } from '../../../server/workspace/manifest.ts';
import { hashing, type Reader, Scanner, scan } from '../../../server/workspace/scan.ts';
import { ContentStore } from '../../../server/workspace/store.ts';
import { filesOf, plant, plenty, scanAnew, withWorkspace } from './support.ts';

const sha256 = (contents: string | Buffer) => createHash('sha256').update(contents).digest('hex');

/** Reads as a scan does, and says which files. */
function watched(disk: Disk): Reader & { names: string[] } {
  const { has, read } = hashing(disk);
  const names: string[] = [];
  return {
    names,
    has,
    read: (files) => {
      names.push(...files.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)));
      return read(files);
    },
  };
}

/** Sets a file's times to long ago. Its change time stays that of now. */
const age = (path: string) => utimesSync(path, 1_000_000, 1_000_000);

describe('a scan', () => {
  it('says of files, links and folders what they are', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plant(base, { 'outside/secret': 's' });
      plant(folder, {
        'a.txt': 'hello\n',
        'empty file': '',
        'empty/': '',
        'in/deep/run.sh': '#!/bin/sh\n',
        out: '-> ../outside',
        absolute: '-> /etc/passwd',
        dangling: '-> nowhere',
        round: '-> .',
        'in/loop': '-> loop',
        'new\nline\t"': 'n',
        'caf\udce9': '-> \udcff',
        ['n'.repeat(255)]: 'l',
        '-rf': 'd',
      });
      chmodSync(join(folder, 'in/deep/run.sh'), 0o755);
      const { manifest, notes } = await scanAnew(disk, folder);
      const file = (contents: string, executable = false) => ({
        kind: 'file',
        hash: sha256(contents),
        size: contents.length,
        executable,
      });
      const link = (target: string) => ({ kind: 'link', target });
      expect([...manifest]).toEqual(
        [
          ['-rf', file('d')],
          ['a.txt', file('hello\n')],
          ['absolute', link('/etc/passwd')],
          ['caf\udce9', link('\udcff')],
          ['dangling', link('nowhere')],
          ['empty', { kind: 'folder' }],
          ['empty file', file('')],
          ['in', { kind: 'folder' }],
          ['in/deep', { kind: 'folder' }],
          ['in/deep/run.sh', file('#!/bin/sh\n', true)],
          ['in/loop', link('loop')],
          ['n'.repeat(255), file('l')],
          ['new\nline\t"', file('n')],
          ['out', link('../outside')],
          ['round', link('.')],
        ].sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
      );
      expect(notes).toEqual([]);
    });
  });

  it('leaves out sockets and FIFOs, and says so', async () => {
    await withWorkspace(async ({ disk, folder }) => {
      plant(folder, { a: '', 'in/b': '' });
      execFileSync('mkfifo', [join(folder, 'in/fifo')]);
      const server = createServer().listen(join(folder, 'socket'));
      await once(server, 'listening');
      const result = await scanAnew(disk, folder);
      server.close();
      expect(filesOf(result)).toEqual(['a', 'in/b']);
      expect(result.notes).toEqual([
        { path: 'in/fifo', text: 'does not travel: it is a FIFO' },
        { path: 'socket', text: 'does not travel: it is a socket' },
      ]);
    });
  });

  it('leaves out what may not be read, and says so', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may read everything');
    await withWorkspace(async ({ disk, folder }) => {
      plant(folder, { a: '', secret: '', 'closed/x': '' });
      chmodSync(join(folder, 'secret'), 0);
      chmodSync(join(folder, 'closed'), 0);
      const result = await scanAnew(disk, folder);
      chmodSync(join(folder, 'closed'), 0o700);
      expect(filesOf(result)).toEqual(['a']);
      expect(result.notes).toEqual([
        { path: 'closed', text: 'does not travel: it cannot be read: EACCES' },
        { path: 'secret', text: 'does not travel: it cannot be read: EACCES' },
      ]);
    });
  });

  it('leaves out what vbatch has not finished writing', async () => {
    await withWorkspace(async ({ disk, folder }) => {
      plant(folder, { '.vbatch-0123456789abcdef.part': '', '.vbatch/config.yaml': 'a: 1' });
      expect(filesOf(await scanAnew(disk, folder))).toEqual(['.vbatch/config.yaml']);
    });
  });

  it('of a folder that is not there says so', async () => {
    await withWorkspace(async ({ disk, folder }) => {
      await expect(scanAnew(disk, join(folder, 'none'))).rejects.toThrow(
        /^Cannot read the folder .*none: ENOENT/,
      );
    });
  });

  it('reads again only what changed', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plant(folder, { a: 'a', b: 'b', c: 'c', 'in/d': 'd' });
      const cacheFile = join(base, 'cache');
      // What has just been written is not trusted to show its next change, so this waits for the clock.
      const settled = Date.now() + 2_100;
      while (Date.now() < settled) await new Promise((resolve) => setTimeout(resolve, 100));
      const pass = async () => {
        const reader = watched(disk);
        const { manifest } = await scan(disk, folder, await HashCache.load(cacheFile), reader, plenty);
        return { manifest, names: reader.names.sort() };
      };
      const first = await pass();
      expect(first.names).toEqual(['a', 'b', 'c', 'd']);
      expect(await pass()).toEqual({ ...first, names: [] });

      // The same size and time as before: the system's own time of the change tells.
      age(join(folder, 'a'));
      await pass();
      writeFileSync(join(folder, 'a'), 'x');
      age(join(folder, 'a'));
      renameSync(join(folder, 'b'), join(folder, 'e'));
      chmodSync(join(folder, 'c'), 0o700);
      const third = await pass();
      expect(third.names).toEqual(['a', 'c', 'e']);
      expect(third.manifest.get('a')).toMatchObject({ hash: sha256('x') });
      expect(third.manifest.get('c')).toMatchObject({ executable: true });

      writeFileSync(cacheFile, readFileSync(cacheFile, 'utf8').replace(sha256('d'), sha256('c')));
      const mended = await pass();
      expect(mended.names).toEqual(['a', 'c', 'd', 'e']);
      expect(mended.manifest.get('in/d')).toMatchObject({ hash: sha256('d') });
    });
  });

  it('reads again what was written a moment ago: its times may not show the next change', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      for (const contents of ['1', '1', '2']) {
        writeFileSync(join(folder, 'a'), contents);
        const reader = watched(disk);
        const { manifest } = await scan(
          disk,
          folder,
          await HashCache.load(join(base, 'cache')),
          reader,
          plenty,
        );
        expect(reader.names).toEqual(['a']);
        expect(manifest.get('a')).toMatchObject({ hash: sha256(contents) });
        await scan(disk, folder, await HashCache.load(join(base, 'cache')), reader, plenty);
        expect(reader.names).toEqual(['a', 'a']);
      }
    });
  });

  it.each([
    ['grows', 'echo x >>"$1"'],
    ['is written to in place', 'echo x | dd of="$1" conv=notrunc status=none'],
  ])('of a file that %s whenever it is read takes what was read last, and says so', async (_, change) => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plant(folder, { quiet: 'q', log: '' });
      // Large enough to take longer to read than between two changes.
      truncateSync(join(folder, 'log'), 100_000_000);
      const writer = spawn('sh', ['-c', `echo on; while :; do ${change}; done`, 'sh', join(folder, 'log')]);
      await once(writer.stdout, 'data');
      const store = await ContentStore.open(disk, join(base, 'store'));
      try {
        const cache = await HashCache.load(join(base, 'cache'));
        const { manifest, notes } = await scan(disk, folder, cache, store, plenty);
        expect(notes).toEqual([
          { path: 'log', text: 'changed whenever it was read; what was read last is taken', isTaken: true },
        ]);
        const log = manifest.get('log') as FileEntry;
        expect(log.size).toBeGreaterThanOrEqual(100_000_000);
        expect(store.has(log.hash, log.size)).toBe(true);
        const [kept] = await disk.hash([store.pathOf(log.hash)]);
        expect(kept).toMatchObject({ hash: log.hash, size: log.size });
      } finally {
        writer.kill('SIGKILL');
      }
    });
  });

  it('of a file that is replaced again and again has one of its contents, whole', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      const contents = ['1', '2'].map((digit) => digit.repeat(300_000));
      plant(base, { one: contents[0] as string, two: contents[1] as string });
      plant(folder, { a: contents[0] as string });
      const script =
        'echo on; while :; do cp "$1/one" "$1/x"; mv "$1/x" "$2/a"; cp "$1/two" "$1/x"; mv "$1/x" "$2/a"; done';
      const writer = spawn('sh', ['-c', script, 'sh', base, folder]);
      await once(writer.stdout, 'data');
      const cache = await HashCache.load(join(base, 'cache'));
      const scanner = new Scanner(disk, folder, cache, hashing(disk), plenty);
      try {
        for (let round = 0; round < 20; round++) {
          const { manifest } = await scanner.scan();
          const entry = manifest.get('a');
          expect(contents.map(sha256)).toContain(entry?.kind === 'file' ? entry.hash : entry);
        }
      } finally {
        writer.kill('SIGKILL');
      }
    });
  });

  it('of what becomes a link, and then a folder again, is one or the other', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plant(base, { 'outside/f': 'secret' });
      plant(folder, { 'a/f': 'x' });
      const outside = join(base, 'outside');
      const swaps = { goOn: true };
      const swapping = (async () => {
        while (swaps.goOn) {
          rmSync(join(folder, 'a'), { recursive: true, force: true });
          symlinkSync(outside, join(folder, 'a'));
          await new Promise(setImmediate);
          rmSync(join(folder, 'a'));
          mkdirSync(join(folder, 'a'));
          writeFileSync(join(folder, 'a/f'), 'x');
          await new Promise(setImmediate);
        }
      })();
      const cache = await HashCache.load(join(base, 'cache'));
      const scanner = new Scanner(disk, folder, cache, hashing(disk), plenty);
      for (let round = 0; round < 100; round++) {
        const { manifest } = await scanner.scan();
        for (const [path, entry] of manifest) {
          if (path !== 'a') expect(entry).toMatchObject({ kind: 'file' });
        }
      }
      swaps.goOn = false;
      await swapping;
    });
  });

  it('of too many files says where most of them are', async () => {
    await withWorkspace(async ({ disk, folder }) => {
      const many = Array.from({ length: 60 }, (_, at) => [`data/raw/${at}`, 'x']);
      plant(folder, { ...Object.fromEntries(many), 'src/a': 'a', 'src/b': 'b', c: '' });
      await expect(scanAnew(disk, folder, { maxFiles: 50 })).rejects.toThrow(
        new RegExp(
          `^The folder ${folder} holds more than 50 files, .* in data/raw/ \\(\\d+ files\\).* /data/raw/,`,
        ),
      );
    });
  });

  it('of too many bytes says so before it reads them', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plant(folder, { 'big/x': '', 'small/y': 'y' });
      truncateSync(join(folder, 'big/x'), 3 * 2 ** 30);
      const reader = watched(disk);
      const options = { ...plenty, maxBytes: 2 ** 30 };
      await expect(
        scan(disk, folder, await HashCache.load(join(base, 'c')), reader, options),
      ).rejects.toThrow(
        'holds more than 1G, too much to travel with a run. Most of it is in big/ (3G), small/ (1).',
      );
      expect(reader.names).toEqual([]);
      plant(folder, { '.vbatchignore': '/big/\n' });
      expect(filesOf(await scanAnew(disk, folder, options))).toEqual(['.vbatchignore', 'small/y']);
    });
  });

  it('keeps the server free for others while it goes through many files and a large one', {
    timeout: 120_000,
  }, async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      for (let at = 0; at < 10_000; at++) {
        const inner = join(folder, `d${at % 50}`);
        if (at < 50) mkdirSync(inner);
        writeFileSync(join(inner, `file-${at}`), String(at));
      }
      plant(folder, { sparse: '' });
      truncateSync(join(folder, 'sparse'), 2 ** 30);
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const began = performance.now();
      const { manifest } = await scan(
        disk,
        folder,
        await HashCache.load(join(base, 'cache')),
        hashing(disk),
        plenty,
      );
      delay.disable();
      expect(manifest.size).toBe(10_051);
      expect(manifest.get('sparse')).toMatchObject({
        hash: '49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14',
      });
      // Much else may go on here, so this is no measure of the turns, but shows that there are many.
      expect(delay.max / 1e6).toBeLessThan((performance.now() - began) / 4);
    });
  });
});
