/** The workspace travels with the run: hosts that have nothing of it, and results that come back. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { possible } from '../../support/testbed/testbed.ts';
import { Sandbox } from '../sandbox.ts';
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
