/** What happens to files on their way when there is no room on the disks of this machine. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { possible } from '../../support/testbed/testbed.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null) console.error(`SKIPPED: no hosts can be made here, so nothing travels: ${missing}`);

describe.skipIf(missing !== null)('a full disk here', () => {
  let cluster: Cluster;
  const mounts: string[] = [];
  beforeAll(async () => {
    cluster = await Cluster.up(
      [{ name: 'n1', config: '{ cpus: 2 }', travels: true }],
      'pools:\n  n1: { hosts: [n1], cpus: 1 }\n',
    );
    const { state, work } = cluster.sandbox;
    mkdirSync(state);
    for (const folder of [state, work]) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40M,mode=700', 'tmpfs', folder]);
      mounts.push(folder);
    }
  });
  afterAll(async () => {
    await cluster?.sandbox.run('vctl', ['server', 'stop']);
    for (const folder of mounts) execFileSync('umount', ['--lazy', folder]);
    await cluster?.down();
  });

  /** Takes room in a folder until there are so many bytes left. */
  const fill = (folder: string, left: number) => {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(join(folder, 'filler'), Buffer.alloc(bavail * bsize - left));
  };
  const free = (folder: string) => rmSync(join(folder, 'filler'));

  it('refuses a submission for which there is no room, and takes it when there is some', async () => {
    const { sandbox } = cluster;
    writeFileSync(join(sandbox.work, 'data'), randomBytes(10_000_000));
    await sandbox.run('vctl', ['list']);
    fill(sandbox.state, 8_000_000);
    const refused = await sandbox.shell('vbatch -P n1 sha256sum data');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /Cannot store files in \S+: ENOSPC: 8 MB are free, and 10 MB more would leave less than the 3 MB that are kept for other things\. Free some space there\.\n$/,
    );
    free(sandbox.state);
    const taken = await sandbox.shell('vrun -P n1 sha256sum data');
    expect(taken.stdout).toContain(
      createHash('sha256')
        .update(readFileSync(join(sandbox.work, 'data')))
        .digest('hex'),
    );
  });

  it('lets results wait on their host, says so, and fetches them when there is room', async () => {
    const { sandbox } = cluster;
    const make = 'head -c 9000000 /dev/urandom >made; sha256sum <made; echo little >small';
    const id = (await sandbox.shell(`vbatch -P n1 --hold sh -c '${make}'`)).stdout.trim();
    fill(sandbox.state, 8_000_000);
    fill(sandbox.work, 4_000_000);
    await sandbox.run('vctl', ['release', id]);
    const waiting = /^has ended; what it made cannot be taken yet: /;
    const first = await sandbox.until(id, ({ reason }) => waiting.test(reason ?? ''));
    expect(first).toMatchObject({ status: 'RUNNING' });
    expect(first.reason).toContain('9 MB more would leave less');
    free(sandbox.state);
    const second = await sandbox.until(id, ({ reason }) => reason?.includes(`${sandbox.work}/made`) === true);
    expect(second.reason).toMatch(/no space left on device/i);
    expect(
      readdirSync(sandbox.work)
        .filter((name) => name !== 'filler')
        .sort(),
    ).not.toContain('made');
    free(sandbox.work);
    expect(await sandbox.until(id, ({ status }) => status !== 'RUNNING')).toMatchObject({
      status: 'SUCCESS',
      attempt: 1,
      reason: null,
    });
    const made = readFileSync(join(sandbox.work, 'made'));
    const hash = createHash('sha256').update(made).digest('hex');
    expect((await sandbox.log(id)).stdout).toContain(hash);
    expect(readdirSync(sandbox.work).sort()).toEqual(['data', 'made', 'small']);
  });
});
