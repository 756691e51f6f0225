/** The workspace travels with the run: hosts that have nothing of it, and results that come back. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBytes } from '../../../server/protocol/bytes.ts';
import { possible } from '../../support/testbed/testbed.ts';
import { Sandbox, type SeenTask } from '../sandbox.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null) console.error(`SKIPPED: no hosts can be made here, so nothing travels: ${missing}`);

const examples = resolve(import.meta.dirname, '../../../examples');

/** Everything in a folder, by path. */
function contentsOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    paths
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'latin1')]),
  );
}

const oddNames = [
  'a b',
  'new\nline',
  'tab\tand "quotes\'',
  '-n',
  '.hidden',
  'ü',
  '\udcff\udcfe',
  'x'.repeat(255),
  '*',
  'back\\slash',
  '$(id)',
];

/** All that is in a folder, by path with a character per byte: what it is, its executable bit, what it holds. */
function everythingIn(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (place: string) => {
    for (const name of readdirSync(Buffer.from(`${folder}${place}`, 'latin1'), { encoding: 'latin1' })) {
      const path = `${place}/${name}`;
      const at = Buffer.from(`${folder}${path}`, 'latin1');
      const stat = lstatSync(at);
      if (stat.isDirectory()) {
        found[path] = 'folder';
        visit(path);
      } else if (stat.isSymbolicLink()) {
        found[path] = `link ${readlinkSync(at, { encoding: 'latin1' })}`;
      } else {
        const hash = createHash('sha256').update(readFileSync(at)).digest('hex');
        found[path] = `file ${stat.mode & 0o100} ${stat.size} ${hash}`;
      }
    }
  };
  visit('');
  return found;
}

describe.skipIf(missing !== null)('a workspace on three hosts with homes of their own', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up(
      ['n1', 'n2', 'n3'].map((name) => ({
        name,
        config: '{ cpus: 16 }',
        travels: true,
        gpus: 1,
        disk: '256m',
      })),
      'pools:\n  n1: { hosts: [n1], cpus: 1 }\n  n2: { hosts: [n2], cpus: 1 }\n  all: { hosts: [n1, n2, n3], cpus: 1 }\n',
    );
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    }).trim();
    await cluster.onAll('sh', '-c', `ln -sf ${python} /usr/local/bin/python`);
  });
  afterAll(() => cluster?.down());

  const inWork = (name: string) => join(cluster.sandbox.work, name);

  it('R35 what one step writes the next one reads, wherever it runs, and results come back', async () => {
    const { sandbox } = cluster;
    sandbox.write('made/in put.txt', 'a\n');
    sandbox.write(
      'steps.sh',
      `#!/bin/sh
vbatch -P n1 --name one sh -c 'hostname >made/one; cat "made/in put.txt" >>made/one; rm "made/in put.txt"'
vbatch -P n2 --name two --after-success one sh -c 'cat made/one >made/two; hostname >>made/two; test ! -e "made/in put.txt"'
vbatch --name three --after-success two sh -c 'cat made/two >made/three; hostname >>made/three'
vbatch -P n1 --name four --after-success three sh -c 'cp made/three made/four; pwd >>made/four'
`,
    );
    const run = await sandbox.submitted('vbatch ./steps.sh');
    const below = await sandbox.below(run?.id ?? '');
    expect(below.one?.workspace).toBe(sandbox.work);
    expect([run.status, Object.values(below).map(({ reason }) => reason)]).toEqual([
      'SUCCESS',
      [null, null, null, null],
    ]);
    const [first, second, third, , place] = sandbox.read('made/four').split('\n');
    expect([first, second, third]).toEqual(['n1', 'a', 'n2']);
    expect(place).toMatch(/^\/root\/\.vbatch\/.*\/runs\/1\/tree$/);
    // Deletions count for the run, not for the person.
    expect(existsSync(inWork('made/in put.txt'))).toBe(true);
  });

  it('R35 takes names of any bytes and files of any kind there, on to the next host, and back', async () => {
    const { sandbox } = cluster;
    mkdirSync(inWork('all/in'), { recursive: true });
    const at = (name: string) => Buffer.concat([Buffer.from(`${inWork('all/in')}/`), encodeBytes(name)]);
    for (const name of oddNames) writeFileSync(at(name), `contents of ${name}`);
    mkdirSync(at('empty folder'));
    mkdirSync(at('deep/\udcff'), { recursive: true });
    writeFileSync(at('deep/\udcff/run'), '#!/bin/sh\n');
    chmodSync(at('deep/\udcff/run'), 0o755);
    writeFileSync(at('nothing'), '');
    writeFileSync(at('binary'), randomBytes(100_000));
    writeFileSync(at('sparse'), '');
    truncateSync(at('sparse'), 20_000_000);
    symlinkSync('../../outside', at('outward'));
    symlinkSync('/etc/hostname', at('absolute'));
    symlinkSync(encodeBytes('no\n\udcfe where'), at('dangling'));
    symlinkSync('.', at('deep/round'));
    // Something that writes all the time, as a log does.
    const log = inWork('all/log');
    const writing = spawn('sh', [
      '-c',
      'i=0; while :; do i=$((i + 1)); echo "line $i" >>"$1"; done',
      'sh',
      log,
    ]);
    sandbox.write(
      'all/steps.sh',
      `#!/bin/sh
vbatch -P n1 --name one sh -c 'cp -a in one && cp log one.log'
vbatch -P n2 --name two --after-success one sh -c 'cp -a one two && cp one.log two.log'
`,
    );
    let run: SeenTask;
    try {
      run = await sandbox.submitted('cd all && git init -q && vbatch ./steps.sh');
    } finally {
      writing.kill('SIGKILL');
    }
    const steps = Object.values(await sandbox.below(run.id));
    expect([run.status, ...steps.map(({ status }) => status)]).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
    const expected = everythingIn(inWork('all/in'));
    expect(Object.keys(expected)).toHaveLength(oddNames.length + 11);
    expect(everythingIn(inWork('all/one'))).toEqual(expected);
    expect(everythingIn(inWork('all/two'))).toEqual(expected);
    // What had been written when it was read, and nothing else.
    const seen = sandbox.read('all/two.log');
    expect(seen).toMatch(/^line 1\n/);
    expect(sandbox.read('all/log').startsWith(seen)).toBe(true);
  });

  it('shows what has been edited since, so that git can apply it to the files as submitted', async () => {
    const { sandbox } = cluster;
    sandbox.write('edited/a file', 'one\ntwo\n');
    sandbox.write('edited/gone', 'g\n');
    writeFileSync(inWork('edited/x.bin'), Buffer.from([1, 0, 2]));
    const run = await sandbox.submitted('cd edited && git init -q && vbatch -P n1 sh -c "echo made >result"');
    sandbox.write('edited/a file', 'one\n2\n');
    sandbox.write('edited/new', 'fresh');
    rmSync(inWork('edited/gone'));
    writeFileSync(inWork('edited/x.bin'), Buffer.from([1, 0, 3]));
    const { stdout } = await sandbox.run('vctl', ['run', 'diff', '--patch', run.id]);
    expect(stdout).toBe(`diff --git a/a file b/a file
--- a/a file\t
+++ b/a file\t
@@ -1,2 +1,2 @@
 one
-two
+2
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-g
diff --git a/new b/new
new file mode 100644
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+fresh
\\ No newline at end of file
diff --git a/x.bin b/x.bin
Binary files a/x.bin and b/x.bin differ
`);
  });

  it.each([
    ['recursive', 'recursive_pipeline.sh'],
    ['training', 'training_pipeline.sh'],
  ])('gives what a purely local run gives, byte for byte: %s', async (folder, script) => {
    const { sandbox } = cluster;
    const alone = new Sandbox();
    try {
      for (const { work } of [sandbox, alone]) {
        for (const name of [folder, 'data'])
          cpSync(join(examples, name), join(work, name), { recursive: true });
        execFileSync('git', ['init', '-q', work]);
      }
      const [run, local] = await Promise.all(
        [sandbox, alone].map((each) => each.submitted(`cd ${folder} && vbatch ./${script}`)),
      );
      const hosts = Object.values(await sandbox.below(run?.id ?? ''));
      expect([run?.status, run?.reason], JSON.stringify(hosts)).toEqual(['SUCCESS', null]);
      expect(local?.status).toBe('SUCCESS');
      expect(contentsOf(inWork(folder))).toEqual(contentsOf(join(alone.work, folder)));
    } finally {
      await alone.remove();
    }
  });
});
