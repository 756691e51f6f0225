import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeBytes } from '../../../server/protocol/bytes.ts';
import { askFor } from '../../../server/travel/ask.ts';
import { type Delivery, deliver } from '../../../server/travel/deliver.ts';
import { fetchContents } from '../../../server/travel/fetch.ts';
import { look } from '../../../server/travel/look.ts';
import { callForLines } from '../../../server/travel/script.ts';
import { UnderWay } from '../../../server/travel/underWay.ts';
import { Disk } from '../../../server/workspace/disk.ts';
import { HashCache } from '../../../server/workspace/hashCache.ts';
import { apply, type Manifest } from '../../../server/workspace/manifest.ts';
import { scan } from '../../../server/workspace/scan.ts';
import { ContentStore } from '../../../server/workspace/store.ts';
import { scriptedWorkspace } from '../../support/scriptedWorkspace.ts';

const applets = mkdtempSync(join(tmpdir(), 'vbatch-applets-'));
afterAll(() => rmSync(applets, { recursive: true, force: true }));
const shells: [string, string[]][] = [['sh', ['sh']]];
try {
  // Its own applets, as on a host that has nothing else.
  execFileSync('busybox', ['--install', '-s', applets]);
  shells.push(['busybox', ['env', `PATH=${applets}`, 'sh']]);
} catch {
  console.error('SKIPPED: there is no busybox here');
}

const odd = [
  'a b',
  'new\nline',
  "quo'te",
  '-n',
  '.hidden',
  'ü',
  '\udcff\udcfe',
  'x'.repeat(255),
  '*',
  'back\\slash',
];

describe.each(shells)('the folder of a run on a host, under %s', (_, shell) => {
  let base: string;
  let disk: Disk;
  let store: ContentStore;
  beforeEach(async () => {
    base = mkdtempSync(join(tmpdir(), 'vbatch-travel-'));
    mkdirSync(join(base, 'source'));
    mkdirSync(join(base, 'host'));
    disk = new Disk(2);
    store = await ContentStore.open(disk, join(base, 'store'));
  });
  afterEach(async () => {
    await disk.close();
    rmSync(base, { recursive: true, force: true });
  });

  const source = (name: string) => Buffer.concat([Buffer.from(`${base}/source/`), encodeBytes(name)]);
  const tree = (name: string) => Buffer.concat([Buffer.from(`${base}/host/runs/7/tree/`), encodeBytes(name)]);
  const host = () => scriptedWorkspace(join(base, 'host'), shell);
  const snapshot = async (folder = join(base, 'source')): Promise<Manifest> => {
    const cache = await HashCache.load(join(base, 'cache'));
    const options = { git: false, maxFiles: 1e6, maxBytes: 1e12 };
    return (await scan(disk, folder, cache, store, options)).manifest;
  };
  const bring = (holds: Manifest | null, wanted: Manifest, more: Partial<Delivery> = {}) =>
    deliver({
      workspace: host(),
      store,
      run: 7,
      holds,
      wanted,
      underWay: new UnderWay(),
      isBusy: () => false,
      tell: () => {},
      ...more,
    });
  const fill = () => {
    for (const name of odd) writeFileSync(source(name), `contents of ${name}`);
    mkdirSync(source('empty'));
    mkdirSync(source('deep/er'), { recursive: true });
    writeFileSync(source('deep/er/run.sh'), '#!/bin/sh\n');
    chmodSync(source('deep/er/run.sh'), 0o755);
    writeFileSync(source('nothing'), '');
    writeFileSync(source('large'), Buffer.alloc(9_000_000, 'vbatch '));
    symlinkSync('../outside', source('out'));
    symlinkSync('/nowhere/at all', source('deep/dangling'));
  };

  const plantOdd = () => {
    for (const name of ['one\x01', 'one\x02', 'one\n']) writeFileSync(source(name), name);
  };

  it('holds what was delivered, whatever the names, and says that nothing has changed', async () => {
    fill();
    const manifest = await snapshot();
    await bring(null, manifest);
    expect(await snapshot(join(base, 'host/runs/7/tree'))).toEqual(manifest);
    expect(await look(host(), 7, manifest)).toEqual({ changes: [], notes: [], isQuiet: true });
  });

  it('is brought up to date file by file, and what is open there goes on as it was', async () => {
    fill();
    const first = await snapshot();
    await bring(null, first);
    writeFileSync(source('a b'), 'other');
    rmSync(source('deep/er'), { recursive: true });
    writeFileSync(source('deep/er'), 'a file now');
    rmSync(source('empty'), { recursive: true });
    writeFileSync(source('odd new\nfile'), 'new');
    const before = lstatSync(tree('nothing')).ino;
    const second = await snapshot();
    await bring(first, second);
    expect(await snapshot(join(base, 'host/runs/7/tree'))).toEqual(second);
    expect(lstatSync(tree('nothing')).ino).toBe(before);
    expect(await look(host(), 7, second)).toEqual({ changes: [], notes: [], isQuiet: true });
  });

  it('tells what a task has made of it, once', async () => {
    fill();
    const manifest = await snapshot();
    await bring(null, manifest);
    writeFileSync(tree('result\n1'), 'r');
    writeFileSync(tree('a b'), 'changed');
    chmodSync(tree('nothing'), 0o755);
    rmSync(tree('deep/er'), { recursive: true });
    symlinkSync('elsewhere', tree('link'));
    execFileSync('mkfifo', [`${base}/host/runs/7/tree/pipe`]);
    const { changes, notes } = await look(host(), 7, manifest);
    const expected = await snapshot(join(base, 'host/runs/7/tree'));
    expect(apply(manifest, changes)).toEqual(expected);
    expect(notes).toEqual([expect.stringContaining('pipe')]);
    await callForLines(host(), { words: ['accept', '7', '0'] });
    expect((await look(host(), 7, expected)).changes).toEqual([]);
  });

  it('passes over what another task is writing, until that is done', async () => {
    fill();
    const manifest = await snapshot();
    await bring(null, manifest);
    const file = openSync(tree('half a file'), 'a');
    writeSync(file, 'half');
    writeFileSync(tree('whole'), 'whole');
    const first = await look(host(), 7, manifest, true);
    expect(first.changes.map(({ path }) => path)).toEqual(['whole']);
    // As if it had been written long ago.
    writeFileSync(join(base, 'host/runs/7/looked'), '9999999999\n');
    await callForLines(host(), { words: ['accept', '7', '1'] });
    closeSync(file);
    const second = await look(host(), 7, apply(manifest, first.changes), true);
    expect(second.changes.map(({ path }) => path)).toEqual(['half a file']);
  });

  it('tells of names that its lines cannot tell apart', async () => {
    plantOdd();
    const manifest = await snapshot();
    await bring(null, manifest);
    expect(await snapshot(join(base, 'host/runs/7/tree'))).toEqual(manifest);
    expect(await look(host(), 7, manifest)).toEqual({ changes: [], notes: [], isQuiet: true });
    writeFileSync(tree('one\x01'), 'other');
    symlinkSync('to\x01', tree('link'));
    writeFileSync(tree('fine'), '');
    const { changes, notes } = await look(host(), 7, manifest);
    expect(changes.map(({ path }) => path)).toEqual(['fine']);
    expect(notes.sort()).toEqual([
      'link has a byte 1 or 2 in its name or target; it stays there',
      'one? has a byte 1 or 2 in its name or target; it stays there',
    ]);
  });

  it('gives what files hold, also large ones from where they were cut off', async () => {
    await bring(null, await snapshot());
    for (const name of odd) writeFileSync(tree(name), `new ${name}`);
    const large = Buffer.alloc(5_000_000, 'large');
    writeFileSync(tree('large'), large);
    const { changes } = await look(host(), 7, new Map());
    const files = changes.flatMap(({ path, entry }) => (entry?.kind === 'file' ? [{ path, entry }] : []));
    const folder = join(base, 'fetched');
    mkdirSync(folder);
    const entry = files.find(({ path }) => path === 'large')?.entry;
    writeFileSync(join(folder, `${entry?.hash}.part`), large.subarray(0, 1_234_567));
    const fetching = { workspace: host(), store, folder, run: 7, tell: () => {} };
    expect(await fetchContents(fetching, files)).toBe(true);
    for (const {
      path,
      entry: { hash },
    } of files) {
      expect(readFileSync(store.pathOf(hash)).equals(readFileSync(tree(path)))).toBe(true);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('sends a second run only what is new', async () => {
    fill();
    await bring(null, await snapshot());
    writeFileSync(source('a b'), 'one change');
    const told: number[] = [];
    await deliver({
      workspace: host(),
      store,
      run: 8,
      holds: null,
      wanted: await snapshot(),
      underWay: new UnderWay(),
      isBusy: () => false,
      tell: ({ allBytes }) => told.push(allBytes),
    });
    expect(Math.max(...told)).toBe('one change'.length);
  });

  it.each([10, 2_000])(
    'tells which of %i contents are there, and how much of one that has begun',
    async (count) => {
      mkdirSync(join(base, 'host/contents'), { recursive: true });
      const hashes = Array.from({ length: count }, (_, at) =>
        createHash('sha256').update(String(at)).digest('hex'),
      );
      const [whole = '', begun = '', ...lacking] = hashes;
      writeFileSync(join(base, 'host/contents', whole), 'whole');
      writeFileSync(join(base, 'host/contents', `${begun}.part`), '1234567');
      const said = await askFor(host(), hashes);
      expect(new Map(said.map(({ hash, there }) => [hash, there]))).toEqual(
        new Map([[begun, 7], ...lacking.map((hash): [string, number] => [hash, 0])]),
      );
      expect(readdirSync(join(base, 'host')).sort()).toEqual(['contents', 'runs']);
    },
  );

  describe('a large file of which little has changed', () => {
    /** Not the same anywhere, so that nothing is right by chance. */
    const plenty = Buffer.alloc(6_000_000);
    for (let at = 0; at < plenty.length; at += 4)
      plenty.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
    const edited = Buffer.from(plenty);
    edited.fill('edit', 3_000_000, 3_001_000);
    const versions: [string, Buffer, number][] = [
      ['changed inside', edited, 200_000],
      ['longer', Buffer.concat([plenty, Buffer.from('another line')]), 200_000],
      ['shorter', plenty.subarray(0, 5_000_001), 200_000],
      ['another one', Buffer.from(plenty).reverse(), plenty.length],
    ];

    const deliverCounting = async (holds: Manifest, wanted: Manifest): Promise<number> => {
      let bytes = 0;
      const tell = (progress: { allBytes: number }) => {
        bytes = progress.allBytes;
      };
      await bring(holds, wanted, { tell });
      return bytes;
    };
    const delivered = async (): Promise<Manifest> => {
      writeFileSync(source('data'), plenty);
      const manifest = await snapshot();
      await bring(null, manifest);
      return manifest;
    };
    const content = createHash('sha256').update(plenty).digest('hex');
    const contentsThere = () => join(base, 'host/contents');

    it('is sent as what differs', async () => {
      let holds = await delivered();
      for (const [what, contents, most] of versions) {
        writeFileSync(source('data'), contents);
        const wanted = await snapshot();
        expect(await deliverCounting(holds, wanted), what).toBeLessThanOrEqual(most);
        expect(readFileSync(tree('data')).equals(contents), what).toBe(true);
        holds = wanted;
      }
      expect(readdirSync(contentsThere()).every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
    });

    it('is made of what the folder has, where the host keeps no other copy', async () => {
      const first = await delivered();
      for (const name of readdirSync(contentsThere())) rmSync(join(contentsThere(), name));
      writeFileSync(source('data'), edited);
      expect(await deliverCounting(first, await snapshot())).toBeLessThan(200_000);
      expect(readFileSync(tree('data')).equals(edited)).toBe(true);
    });

    it('is sent as what differs also into the folder of another run', async () => {
      const similar = await delivered();
      writeFileSync(source('data'), edited);
      const wanted = await snapshot();
      let bytes = 0;
      const tell = (progress: { allBytes: number }) => {
        bytes = progress.allBytes;
      };
      const to = { workspace: host(), store, run: 8, holds: null, similar, wanted, underWay: new UnderWay() };
      await deliver({ ...to, isBusy: () => false, tell });
      expect(bytes).toBeLessThan(200_000);
      expect(readFileSync(join(base, 'host/runs/8/tree/data')).equals(edited)).toBe(true);
    });

    it('is sent as a whole where the host has something else than it should', async () => {
      const first = await delivered();
      const [name = ''] = readdirSync(contentsThere());
      writeFileSync(join(contentsThere(), name), 'damaged');
      writeFileSync(source('data'), edited);
      await deliverCounting(first, await snapshot());
      expect(readFileSync(tree('data')).equals(edited)).toBe(true);
    });

    it('is sent once when two runs need it at the same time', async () => {
      writeFileSync(source('data'), plenty);
      const wanted = await snapshot();
      const underWay = new UnderWay();
      let sent = 0;
      const workspace = {
        ...host(),
        async run(words: readonly string[]) {
          const process = await host().run(words);
          const write = process.stdin.write.bind(process.stdin);
          process.stdin.write = (piece: Buffer, ...more: unknown[]) => {
            if (words[0] === 'part') sent += piece.length;
            return (write as (...given: unknown[]) => boolean)(piece, ...more);
          };
          return process;
        },
      };
      const to = { workspace, store, holds: null, wanted, underWay, isBusy: () => false, tell: () => {} };
      await Promise.all([deliver({ ...to, run: 7 }), deliver({ ...to, run: 8 })]);
      for (const run of [7, 8]) {
        expect(readFileSync(join(base, `host/runs/${run}/tree/data`)).equals(plenty)).toBe(true);
      }
      expect(sent).toBe(plenty.length);
    });

    describe('there', () => {
      /** Brings a folder with these files for another run, and counts what is sent. */
      const another = async (run: number, files: Record<string, { mode: number }>): Promise<number> => {
        rmSync(join(base, 'source'), { recursive: true });
        for (const [name, { mode }] of Object.entries(files)) {
          mkdirSync(dirname(join(base, 'source', name)), { recursive: true });
          writeFileSync(source(name), plenty);
          chmodSync(source(name), mode);
        }
        let sent = 0;
        const tell = ({ bytes }: { bytes: number }) => {
          sent = bytes;
        };
        await bring(null, await snapshot(), { run, tell });
        return sent;
      };
      const there = (run: number, name: string) => join(base, `host/runs/${run}/tree`, name);
      const numberOf = (path: string) => statSync(path).ino;
      const kept = () => join(contentsThere(), content);

      it('is kept once: the content is the file of the folder', async () => {
        await another(7, { 'in a/folder with\nlines': { mode: 0o644 } });
        expect(numberOf(there(7, 'in a/folder with\nlines'))).toBe(numberOf(kept()));
        expect(statSync(kept()).nlink).toBe(2);
        expect(readdirSync(contentsThere())).toEqual([content]);
      });

      it('is a file of its own at each place', async () => {
        await another(7, { data: { mode: 0o755 }, twin: { mode: 0o644 } });
        expect(await another(8, { data: { mode: 0o644 }, twin: { mode: 0o755 } })).toBe(0);
        const files = [7, 8].flatMap((run) => [there(run, 'data'), there(run, 'twin')]);
        expect(new Set(files.map(numberOf)).size).toBe(4);
        expect(files.map((file) => statSync(file).mode & 0o777)).toEqual([0o755, 0o644, 0o644, 0o755]);
        for (const file of files) expect(readFileSync(file).equals(plenty)).toBe(true);
      });

      it('that a task has changed is not taken for what it was', async () => {
        await another(7, { data: { mode: 0o644 } });
        writeFileSync(there(7, 'data'), 'of a task', { flag: 'r+' });
        expect(await another(8, { data: { mode: 0o644 } })).toBe(plenty.length);
        expect(readFileSync(there(8, 'data')).equals(plenty)).toBe(true);
        expect(readFileSync(kept()).equals(plenty)).toBe(true);
        expect(readFileSync(there(7, 'data'), 'latin1').startsWith('of a task')).toBe(true);
      });

      it('is not what a process has open whose folder is gone', async () => {
        await another(7, { data: { mode: 0o755 } });
        const open = openSync(there(7, 'data'), 'r+');
        try {
          await callForLines(host(), { words: ['remove', '7'] });
          expect(await another(8, { data: { mode: 0o644 } })).toBe(0);
          writeSync(open, 'late');
        } finally {
          closeSync(open);
        }
        expect(statSync(there(8, 'data')).mode & 0o777).toBe(0o644);
        expect(readFileSync(there(8, 'data')).equals(plenty)).toBe(true);
      });

      it('that has gone since it was asked for is sent, whatever else the host has to say', async () => {
        await another(7, { data: { mode: 0o644 } });
        const calls: string[] = [];
        const chatty = {
          ...host(),
          async run(words: readonly string[]) {
            calls.push(words[0] ?? '');
            // As another run does that has found it to be damaged.
            if (words[0] === 'put' && calls.length === 2) rmSync(kept());
            const started = await host().run(words);
            const stderr = new PassThrough();
            stderr.write('Welcome!\n');
            started.stderr.pipe(stderr);
            return { ...started, stderr };
          },
        };
        await bring(null, await snapshot(), { run: 8, workspace: chatty });
        expect(calls).toEqual(['ask', 'put', 'ask', 'part', 'put']);
        expect(readFileSync(there(8, 'data')).equals(plenty)).toBe(true);
      });

      it('is kept for thirty days after it was last needed, as small ones are', async () => {
        const small = createHash('sha256').update('small').digest('hex');
        const old = (days: number) => new Date(Date.now() - days * 86_400_000);
        const make = async (run: number) => {
          writeFileSync(source('data'), plenty);
          writeFileSync(source('small'), 'small');
          await bring(null, await snapshot(), { run });
        };
        const both = [content, small].sort();
        const removeOld = async () => {
          await callForLines(host(), { words: ['remove', '99'] });
          return readdirSync(contentsThere()).sort();
        };
        await make(7);
        expect(await removeOld()).toEqual(both);
        for (const hash of both) utimesSync(join(contentsThere(), hash), old(29), old(29));
        await make(8);
        for (const hash of both) expect(statSync(join(contentsThere(), hash)).mtime > old(1)).toBe(true);
        for (const hash of both) utimesSync(join(contentsThere(), hash), old(32), old(32));
        expect(await removeOld()).toEqual([]);
      });

      it('takes no folder’s place whose putting another one has begun anew', async () => {
        await another(7, { data: { mode: 0o644 } });
        const putting = join(base, 'host/runs/7/putting');
        const wanted = await snapshot();
        const slow = [...shell, '-c', `cp() { echo 1 >'${putting}'; command cp "$@"; }; . "$0"`];
        const workspace = scriptedWorkspace(join(base, 'host'), slow);
        writeFileSync(there(7, 'data'), 'of a task', { flag: 'r+' });
        await expect(bring(null, wanted, { workspace })).rejects.toThrow();
        expect(readFileSync(there(7, 'data'), 'latin1').startsWith('of a task')).toBe(true);
      });

      it('is not what a connection may still write to that was cut off', async () => {
        mkdirSync(contentsThere(), { recursive: true });
        writeFileSync(`${kept()}.part`, plenty.subarray(0, 1_000_000));
        const late = openSync(`${kept()}.part`, 'a');
        try {
          await another(7, { data: { mode: 0o644 } });
          writeSync(late, 'late');
        } finally {
          closeSync(late);
        }
        expect(readFileSync(there(7, 'data')).equals(plenty)).toBe(true);
        expect(readFileSync(kept()).equals(plenty)).toBe(true);
        expect(readdirSync(contentsThere())).toEqual([content]);
      });
    });

    it('is not read where it is there by now, which is no failure', async () => {
      await delivered();
      const words = ['part', content, '0', String(plenty.length), 'plain'];
      expect(await callForLines(host(), { words, input: [plenty] })).toEqual([]);
    });

    it('that is there by now is not begun anew', async () => {
      mkdirSync(contentsThere(), { recursive: true });
      writeFileSync(join(contentsThere(), `${content}.part`), plenty);
      const words = ['part', content, '0', String(plenty.length), 'plain'];
      await expect(callForLines(host(), { words, input: [plenty] })).rejects.toThrow('being sent already');
      expect(readFileSync(join(contentsThere(), `${content}.part`)).equals(plenty)).toBe(true);
    });

    it('that has not come as it was is sent again', async () => {
      writeFileSync(source('data'), plenty);
      const manifest = await snapshot();
      const entry = manifest.get('data');
      mkdirSync(contentsThere(), { recursive: true });
      const begun = entry?.kind === 'file' ? join(contentsThere(), `${entry.hash}.part`) : '';
      writeFileSync(begun, Buffer.alloc(5_000_000, 'wrong'));
      await bring(null, manifest);
      expect(readFileSync(tree('data')).equals(plenty)).toBe(true);
    });

    it('is fetched as what differs', async () => {
      const first = await delivered();
      for (const [what, contents, most] of versions) {
        writeFileSync(tree('data'), contents);
        expect(await fetchCounting(first), what).toBeLessThanOrEqual(Math.max(most, 2_100_000));
        const [change] = (await look(host(), 7, first)).changes;
        const hash = change?.entry?.kind === 'file' ? change.entry.hash : '';
        expect(readFileSync(store.pathOf(hash)).equals(contents), what).toBe(true);
        expect(readdirSync(join(base, 'fetched')), what).toEqual([]);
      }
    });

    it('goes on where its fetching was cut off', async () => {
      const first = await delivered();
      const much = Buffer.from(plenty);
      for (let at = 0; at < 4; at++) much.fill('more', at * 1_048_576, at * 1_048_576 + 100);
      writeFileSync(tree('data'), much);
      const { changes } = await look(host(), 7, first);
      const hash = changes[0]?.entry?.kind === 'file' ? changes[0].entry.hash : '';
      mkdirSync(join(base, 'fetched'));
      // Two of the four had come.
      const half = Buffer.concat([much.subarray(0, 2 * 1_048_576), plenty.subarray(2 * 1_048_576)]);
      writeFileSync(join(base, 'fetched', `${hash}.patch`), half);
      expect(await fetchCounting(first)).toBeLessThanOrEqual(2 * 1_048_576);
      expect(readFileSync(store.pathOf(hash)).equals(much)).toBe(true);
    });

    const fetchCounting = async (holds: Manifest): Promise<number> => {
      const { changes } = await look(host(), 7, holds);
      const files = changes.flatMap(({ path, entry }) =>
        entry?.kind === 'file' ? [{ path, entry, before: holds.get(path) }] : [],
      );
      let bytes = 0;
      const tell = (progress: { allBytes: number }) => {
        bytes = progress.allBytes;
      };
      const folder = join(base, 'fetched');
      expect(await fetchContents({ workspace: host(), store, folder, run: 7, tell }, files)).toBe(true);
      return bytes;
    };
  });
});

const hidesProc = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /proc && exec sh "$@"', 'sh'];
const canHide = (() => {
  try {
    execFileSync(hidesProc[0] as string, [...hidesProc.slice(1), '-c', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    console.error('SKIPPED: nothing can be mounted here, so /proc cannot be hidden from a host');
    return false;
  }
})();

it.skipIf(!canHide)('where nobody says what is open, passes over what goes on changing', async () => {
  const base = mkdtempSync(join(tmpdir(), 'vbatch-travel-'));
  const host = scriptedWorkspace(join(base, 'host'), hidesProc);
  const tree = join(base, 'host/runs/7/tree');
  mkdirSync(tree, { recursive: true });
  const writer = spawn('sh', ['-c', 'while :; do echo x >>"$1/slow"; echo on; sleep 0.05; done', 'sh', tree]);
  try {
    await once(writer.stdout, 'data');
    writeFileSync(join(tree, 'whole'), 'whole');
    const first = await look(host, 7, new Map(), true);
    expect(first.changes.map(({ path }) => path)).toEqual(['whole']);
    await callForLines(host, { words: ['accept', '7', '1'] });
    writer.kill('SIGKILL');
    const second = await look(host, 7, apply(new Map(), first.changes), true);
    expect(second.changes.map(({ path }) => path)).toEqual(['slow']);
  } finally {
    writer.kill('SIGKILL');
    rmSync(base, { recursive: true, force: true });
  }
});
