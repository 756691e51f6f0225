/** What is removed from a host, and what never is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scriptsVersion } from '../../../server/hosts/agent/scripts.ts';
import type { PruneRequest } from '../../../server/hosts/machine.ts';
import { pruneFolder } from '../../../server/hosts/prune.ts';
import type { ReadingShell } from '../../../server/hosts/told.ts';
import { Bed, presentShells, presentSites, until } from './bed.ts';

const dayAgo = Date.now() / 1_000 - 25 * 3_600;
const own = 'a'.repeat(24);
const other = 'b'.repeat(24);

describe.each(presentShells)('pruning under %s', (_name, [program, ...args]) => {
  let base: string;
  let folder: string;
  const started: ChildProcess[] = [];

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "vbatch prune's-"));
    folder = join(base, own);
    mkdirSync(folder);
  });
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    rmSync(base, { recursive: true });
  });

  function prune(request: Partial<PruneRequest> = {}) {
    const flags = args.filter((arg) => arg !== '--norc');
    const child = spawn(program, [...flags, '-s'], { env: { PATH: process.env.PATH, HOME: base } });
    const shell: ReadingShell = {
      stdin: child.stdin,
      stdout: child.stdout,
      close: () => child.stdout.destroy(),
    };
    return pruneFolder(shell, folder, { attempts: [], folders: [], look: 'all', ...request });
  }

  function put(path: string, text = 'x', age?: number): void {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (age !== undefined) utimesSync(file, age, age);
  }

  function version(name: string, age: number): void {
    put(`${name}/bin/vbatch`);
    utimesSync(join(folder, name), age, age);
  }

  it('removes old versions, but none that is new, current or in use', async () => {
    version('0123456789ab', dayAgo);
    version('111111111111', Date.now() / 1_000);
    version('222222222222', dayAgo);
    version(scriptsVersion, dayAgo);
    version('not-a-version', dayAgo);
    put('tasks/0/7.1.run', `boot 12 (sh)\0export PATH='/x/222222222222/bin:/usr/bin'\n`);
    // This one has ended, and needs nothing.
    put('tasks/0/8.1.run', `boot 13 (sh)\0export PATH='/x/0123456789ab/bin:/usr/bin'\n`);
    put('tasks/0/8.1.exit', 'exit 0 \n');
    const { pruned } = await prune();
    expect(readdirSync(folder).sort()).toEqual(
      ['111111111111', '222222222222', 'not-a-version', scriptsVersion, 'tasks'].sort(),
    );
    expect(pruned).toMatchObject({ versions: 1, attempts: 0, environments: 0 });
    expect(pruned.freed).toBeGreaterThan(0);
  });

  it('removes environments that nobody has written for a day', async () => {
    put('env/old', 'x', dayAgo);
    put('env/new');
    expect((await prune()).pruned.environments).toBe(1);
    expect(readdirSync(join(folder, 'env'))).toEqual(['new']);
  });

  it('tells of attempts, and removes everything of those that it is told to', async () => {
    for (const suffix of ['run', 'out', 'err', 'exit']) put(`tasks/0/17.1.${suffix}`);
    for (const suffix of ['run', 'out']) put(`tasks/0/17.10.${suffix}`);
    put('tasks/3/3001.2.start', 'x'.repeat(20_000));
    put('calls/17.1/1-1');
    put('calls/9.1/1-1');
    put('tasks/0/nonsense');
    const before = await prune();
    expect(before.attempts.sort()).toEqual(['17.1', '17.10', '3001.2', '9.1']);
    const after = await prune({ attempts: ['17.1', '3001.2', '9.1'] });
    expect(after.pruned).toMatchObject({ attempts: 3 });
    expect(after.pruned.freed).toBeGreaterThanOrEqual(20_000);
    expect(after.attempts).toEqual(['17.10']);
    expect(readdirSync(join(folder, 'tasks/0')).sort()).toEqual(['17.10.out', '17.10.run', 'nonsense']);
  });

  it('tells of other servers’ folders, and removes one only where nothing of it runs', async () => {
    mkdirSync(join(base, other, 'tasks'), { recursive: true });
    writeFileSync(join(base, other, 'tasks/x'), 'x'.repeat(50_000));
    mkdirSync(join(base, 'unrelated'));
    const [found] = (await prune()).pruned.others;
    expect(found).toMatchObject({ folder: other, busy: false });
    expect(found?.bytes).toBeGreaterThanOrEqual(50_000);
    expect(Date.parse(found?.usedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);

    const attempt = spawn('sleep', ['600'], { env: { VBATCH_ATTEMPT_KEY: `1.1@${other}` } });
    started.push(attempt);
    await once(attempt, 'spawn');
    const busy = (await prune({ folders: [other] })).pruned;
    expect(busy).toMatchObject({ folders: 0, others: [{ folder: other, busy: true }] });
    attempt.kill('SIGKILL');
    await once(attempt, 'exit');

    // An agent by its identity, in this boot and in another.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    writeFileSync(join(base, other, 'agent.run'), `${boot} ${process.pid} (sh) S\n`);
    expect((await prune({ folders: [other] })).pruned.others).toMatchObject([{ busy: true }]);
    writeFileSync(join(base, other, 'agent.run'), `another-boot ${process.pid} (sh) S\n`);
    const gone = (await prune({ folders: [other] })).pruned;
    expect(gone).toMatchObject({ folders: 1, others: [] });
    expect(readdirSync(base).sort()).toEqual([own, 'unrelated'].sort());
  });

  it('has nothing to do where there is no folder', async () => {
    rmSync(folder, { recursive: true });
    expect(await prune()).toMatchObject({ pruned: { freed: 0 }, attempts: [] });
  });
});

describe.each(presentSites)('a host under %s', (_name, site) => {
  it('R31 can tell by its .run which version a running attempt has on its PATH', async () => {
    const bed = await Bed.open(site);
    try {
      const key = bed.start(bed.script('echo started; until [ -e go ]; do sleep 0.02; done'));
      await bed.reports.about('started', key);
      await until(() => bed.text(key, 'out') !== '');
      expect(bed.text(key, 'run')).toContain(`/${scriptsVersion}/bin`);
      expect(existsSync(bed.path(key, 'exit'))).toBe(false);
      writeFileSync(join(bed.work, 'go'), '');
      expect((await bed.reports.exit(key)).exitCode).toBe(0);
    } finally {
      await bed.dispose();
    }
  });

  it('is tidied by itself when the next server comes', async () => {
    const bed = await Bed.open(site);
    try {
      const old = [join(bed.home, '0123456789ab/bin/vbatch'), join(bed.home, 'env/old')];
      await bed.replaceHost(() => {
        for (const file of old) {
          mkdirSync(dirname(file), { recursive: true });
          writeFileSync(file, '');
          utimesSync(file, dayAgo, dayAgo);
        }
        utimesSync(join(bed.home, '0123456789ab'), dayAgo, dayAgo);
      });
      await until(() => !old.some((file) => existsSync(file)));
      expect(existsSync(bed.shims)).toBe(true);
    } finally {
      await bed.dispose();
    }
  });

  it('removes what is left of attempts that the server does not know, and nothing of others', async () => {
    const bed = await Bed.open(site);
    try {
      const { key } = await bed.run(bed.script('echo kept'));
      await bed.whole(key);
      mkdirSync(join(bed.home, 'tasks/9'), { recursive: true });
      writeFileSync(join(bed.home, 'tasks/9/9999.1.out'), 'x');
      mkdirSync(join(bed.home, 'calls/9998.1'), { recursive: true });
      const isKnown = (each: string) => each === key;
      const pruned = await bed.host.prune({ isKnown, folders: [] });
      expect(pruned.attempts).toBe(2);
      expect(existsSync(join(bed.home, 'tasks/9/9999.1.out'))).toBe(false);
      expect(existsSync(join(bed.home, 'calls/9998.1'))).toBe(false);
      expect((await bed.host.readLog(key, 'stdout', 0, 100)).toString()).toBe('kept\n');
    } finally {
      await bed.dispose();
    }
  });
});
