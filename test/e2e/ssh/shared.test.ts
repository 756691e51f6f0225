/** Hosts that have the files of this machine, each at a place of its own: nothing travels. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { possible } from '../../support/testbed/testbed.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null) console.error(`SKIPPED: no hosts can be made here, so none shares files: ${missing}`);

describe.skipIf(missing !== null)('a workspace that hosts share, at different places', () => {
  let shared: string;
  let cluster: Cluster;
  beforeAll(async () => {
    shared = mkdtempSync('/var/tmp/vb-shared-');
    mkdirSync(join(shared, 'project/part'), { recursive: true });
    const host = (name: string, place: string) => ({
      name,
      shares: { [place]: shared },
      config: `{ cpus: 8, paths: { ${shared}: ${place} } }`,
    });
    cluster = await Cluster.up(
      [host('n1', '/srv/one'), host('n2', '/net/two')],
      'pools:\n  n1: { hosts: [n1], cpus: 1 }\n  n2: { hosts: [n2], cpus: 1 }\n',
    );
  });
  afterAll(async () => {
    await cluster?.down();
    rmSync(shared, { recursive: true, force: true });
  });

  it('R35 tasks work in the same folder, by whatever path it has where they run', async () => {
    const { sandbox, bed } = cluster;
    const who = 'echo "$(hostname) $PWD" >>"$TOP/who"';
    const nested = `vrun -P n2 -e TOP=/net/two --name two sh -c '${who}; vrun --name three -e TOP=${shared} sh -c "echo here \\$PWD >>\\$TOP/who"'`;
    const { code, stderr } = await sandbox.shell(
      `cd ${shared}/project/part && echo input >input && vrun -P n1 -e TOP=/srv/one --name one sh -c "$STEP"`,
      { STEP: `cat input >>/srv/one/who; ${who}; cd .. && ${nested}` },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(readFileSync(join(shared, 'who'), 'utf8').split('\n')).toEqual([
      'input',
      'n1 /srv/one/project/part',
      'n2 /net/two/project',
      `here ${shared}/project`,
      '',
    ]);
    for (const name of ['n1', 'n2']) {
      const { stdout } = await bed.host(name).exec(['sh', '-c', 'ls -d /root/.vbatch/*/runs 2>/dev/null']);
      expect(stdout).toBe('');
    }
  });

  it('a directory that is on no shared folder is that of the host', async () => {
    const { sandbox } = cluster;
    const { stdout } = await sandbox.shell(`cd ${shared} && vrun -P n2 -C /var/empty pwd`);
    expect(stdout).toBe('/var/empty\n');
    const refused = await sandbox.shell(`vrun -P n1 -C ${shared}/none pwd`);
    expect([refused.code, refused.stderr]).toEqual([126, expect.stringContaining('/srv/one/none')]);
  });
});
