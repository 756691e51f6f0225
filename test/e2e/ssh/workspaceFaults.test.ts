/** What happens to files on their way when links, disks and the server fail, and when people work on meanwhile. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { possible } from '../../support/testbed/testbed.ts';
import { patience, type SeenTask } from '../sandbox.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null) console.error(`SKIPPED: no hosts can be made here, so nothing travels: ${missing}`);

const hashOf = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(missing !== null)('files on their way', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up(
      [
        { name: 'n1', config: '{ cpus: 8 }', travels: true, disk: '256m' },
        { name: 'n2', config: '{ cpus: 8 }', travels: true, disk: '256m' },
      ],
      'pools:\n  n1: { hosts: [n1], cpus: 1 }\n  n2: { hosts: [n2], cpus: 1 }\n',
    );
  });
  afterAll(() => cluster?.down());
  beforeEach(() => {
    for (const name of readdirSync(cluster.sandbox.work))
      rmSync(join(cluster.sandbox.work, name), { recursive: true });
  });

  const inWork = (name: string) => join(cluster.sandbox.work, name);
  const submit = (line: string) => cluster.sandbox.submit(line);
  const until = (id: string, is: (task: SeenTask) => boolean) => cluster.sandbox.until(id, is);
  const ended = (id: string) => cluster.sandbox.ended(id);

  it('R35 an edit after the submission never reaches a queued task, and is never overwritten', async () => {
    const { sandbox } = cluster;
    sandbox.write('code', 'as submitted');
    sandbox.write('result', 'old');
    sandbox.write('gate', '');
    const id = await submit(
      `vbatch --name hold -P n1 --hold sh -c 'cat code; echo of the run >result; echo seen >fresh'`,
    );
    sandbox.write('code', 'as edited');
    sandbox.write('result', 'my own');
    await sandbox.run('vctl', ['release', id]);
    const task = await ended(id);
    expect((await sandbox.log(id)).stdout).toBe('as submitted');
    expect([sandbox.read('code'), sandbox.read('result'), sandbox.read('fresh')]).toEqual([
      'as edited',
      'my own',
      'seen\n',
    ]);
    expect(sandbox.read(`result.${id}`)).toBe('of the run\n');
    expect(task.reason).toBe(
      `result was changed here meanwhile and stays as it is; the run's own is result.${id}`,
    );
  });

  it('what a person edits while a script of the run waits is not the script’s doing', async () => {
    const { sandbox } = cluster;
    sandbox.write('mine', 'before');
    sandbox.write(
      'script.sh',
      `#!/bin/sh
echo by the script >made
vrun -P n1 sh -c 'cat mine made; while [ ! -e /tmp/go ]; do sleep 0.05; done'
vrun -P n2 cat mine made
`,
    );
    const id = await submit('vbatch ./script.sh');
    await vi.waitFor(async () => {
      expect((await sandbox.log(`${id}/sh`)).stdout).not.toBe('');
    }, patience);
    sandbox.write('mine', 'edited');
    await cluster.bed.host('n1').exec(['touch', '/tmp/go']);
    expect((await ended(id)).status).toBe('SUCCESS');
    expect((await sandbox.log(id)).stdout).toBe('beforeby the script\nbeforeby the script\n');
    expect(sandbox.read('mine')).toBe('edited');
  });

  it('two tasks that write the same path: the later end wins, and both are kept', async () => {
    const { sandbox } = cluster;
    sandbox.write(
      'both.sh',
      `#!/bin/sh
vbatch -P n1 --name early sh -c 'echo early >same'
vbatch -P n2 --name late sh -c 'echo late >same; while [ ! -e /tmp/go ]; do sleep 0.05; done'
`,
    );
    const id = await submit('vbatch ./both.sh');
    await until(`${id}/early`, ({ status }) => status === 'SUCCESS');
    await until(`${id}/late`, ({ status }) => status === 'RUNNING');
    await cluster.bed.host('n2').exec(['touch', '/tmp/go']);
    const late = await ended(`${id}/late`);
    expect(late.reason).toContain('same was written while another task of the run had written it');
    expect(sandbox.read('same')).toBe('late\n');
    await sandbox.run('vctl', ['run', 'checkout', id, 'out']);
    expect([sandbox.read('out/same'), sandbox.read('out/same.lost-1')]).toEqual(['late\n', 'early\n']);
    expect((await sandbox.run('vctl', ['run', 'files', id])).stdout).toMatch(
      /\+ +5 {2}same\noverwritten +6 {2}same, by .*late\n/,
    );
  });

  it('R35 a file that is rewritten all the time does not keep a run from starting; the run says so', async () => {
    const { sandbox } = cluster;
    writeFileSync(inWork('busy'), '');
    truncateSync(inWork('busy'), 20_000_000);
    // It mostly sleeps and goes before others, so that it gets its turn while the file is read, also on a busy machine.
    const script = `const fs = require('fs');
      require('os').setPriority(-20);
      const file = fs.openSync(process.argv[1], 'r+');
      setInterval(() => fs.writeSync(file, 'x', 0), 1);
      console.log('on');`;
    const writer = spawn(process.execPath, ['-e', script, inWork('busy')]);
    try {
      await once(writer.stdout, 'data');
      const { stdout, stderr } = await sandbox.shell('vbatch -P n1 wc -c busy');
      const note = 'busy changed whenever it was read; what was read last is taken';
      expect(stderr).toContain(`vbatch: ${note}`);
      expect(await ended(stdout.trim())).toMatchObject({ status: 'SUCCESS', reason: note });
      expect((await sandbox.log(stdout.trim())).stdout).toBe('20000000 busy\n');
    } finally {
      writer.kill('SIGKILL');
    }
  });

  it('R30 R31 a link that is cut and a server that is killed in the middle lose nothing', async () => {
    const { sandbox, bed } = cluster;
    const large = randomBytes(8_000_000);
    // Slow enough to be seen by who looks a few times a second.
    await bed.host('n1').narrow('32mbit');
    writeFileSync(inWork('large'), large);
    for (let n = 0; n < 200; n++) sandbox.write(`many/${n}`, `file ${n}`);
    const id = await submit(
      `vbatch -P n1 sh -c 'sha256sum <large; cat many/* | wc -c; cat large large >back'`,
    );
    const sending = ({ reason }: SeenTask) => /^sending \d+ of \d+ files, [1-9]/.test(reason ?? '');
    await until(id, sending);
    await bed.host('n1').cutConnections();
    await until(id, sending);
    sandbox.killServer();
    await until(id, ({ reason }) => /^fetching 0 of 1 files, [1-9]/.test(reason ?? ''));
    expect(existsSync(inWork('back'))).toBe(false);
    sandbox.killServer();
    await until(id, ({ reason }) => reason?.startsWith('fetching') === true);
    await bed.host('n1').cutConnections();
    await bed.host('n1').narrow('10gbit');
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', attempt: 1 });
    expect((await sandbox.log(id)).stdout).toMatch(new RegExp(`^${hashOf(large)}`));
    expect(hashOf(readFileSync(inWork('back')))).toBe(hashOf(Buffer.concat([large, large])));
  });

  it('of a large file that has changed a little, little crosses the link, there and back', async () => {
    const { sandbox, bed } = cluster;
    const large = randomBytes(20_000_000);
    writeFileSync(inWork('large'), large);
    const crossed = async () => {
      // Bytes in and out.
      const program = '/eth0:/ { print $2 + $10 }';
      return Number((await bed.host('n1').exec(['awk', program, '/proc/net/dev'])).stdout);
    };
    const whole = await crossed();
    expect((await sandbox.shell('vrun -P n1 sha256sum large')).stdout).toContain(hashOf(large));
    const before = await crossed();
    expect(before - whole).toBeGreaterThan(20_000_000);
    large.fill('edited', 7_000_000, 7_001_000);
    writeFileSync(inWork('large'), large);
    expect((await sandbox.shell(`vrun -P n1 sh -c 'sha256sum large; echo more >>large'`)).stdout).toContain(
      hashOf(large),
    );
    expect(hashOf(readFileSync(inWork('large')))).toBe(hashOf(Buffer.concat([large, Buffer.from('more\n')])));
    expect((await crossed()) - before).toBeLessThan(3_000_000);
  });

  it('a full disk on the host is what the task says, and leaves nothing half there', async () => {
    const { sandbox, bed } = cluster;
    writeFileSync(inWork('large'), randomBytes(5_000_000));
    await bed.host('n2').fillDisk();
    const id = await submit('vbatch -P n2 cat large');
    const task = await ended(id);
    expect(task).toMatchObject({ status: 'FAILURE', exitCode: 125 });
    expect(task.reason).toMatch(/^the files of the run cannot be brought to n2: .*No space left/);
    await bed.host('n2').freeDisk();
    await sandbox.run('vctl', ['retry', id]);
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS' });
  });

  it('--output chooses what comes back, max_output how much, and the rest is listed', async () => {
    const { sandbox } = cluster;
    sandbox.write('.vbatch/config.yaml', 'defaults: { max_output: 1M }\n');
    const make = 'mkdir -p out; echo 1 >out/a.csv; echo 2 >out/b.txt; head -c 2000000 /dev/zero >out/c.csv';
    const id = await submit(`vbatch -P n1 --output '*.csv' sh -c '${make}'`);
    expect((await ended(id)).reason).toBe('2 files stay on n1, 1.9 MB: `vctl run files` says where');
    expect(readdirSync(inWork('out'))).toEqual(['a.csv']);
    const { stdout } = await sandbox.run('vctl', ['run', 'files', id]);
    expect(stdout).toMatch(
      /left on n1 +2 {2}\/.*\/tree\/out\/b.txt\nleft on n1 +1.9M {2}\/.*\/tree\/out\/c.csv\n/,
    );
  });

  it('nothing is written through a link in the folder that leads out of it', async () => {
    const { sandbox } = cluster;
    sandbox.write('data/keep', 'x');
    const outside = join(sandbox.folder, 'outside');
    const id = await submit(`vbatch -P n1 --hold sh -c 'echo new >data/new; echo out >"$PWD/../out"'`);
    rmSync(inWork('data'), { recursive: true });
    await sandbox.shell(`mkdir ${outside}`);
    symlinkSync(outside, inWork('data'));
    await sandbox.run('vctl', ['release', id]);
    expect((await ended(id)).status).toBe('SUCCESS');
    expect(readdirSync(outside)).toEqual([]);
    expect(sandbox.read(`data.${id}/new`)).toBe('new\n');
  });

  it('a dry run says what would be sent', async () => {
    const { sandbox } = cluster;
    sandbox.write('small', 'x'.repeat(10));
    const { stderr } = await sandbox.shell('vbatch --dry-run -P n1 cat small');
    expect(stderr).toContain('travels: 1 files, 10 bytes');
    expect(stderr).toContain('to n1 would be sent 1 files, 10 bytes; the largest: small (10 bytes)');
  });

  it('pruning removes what runs have left, on hosts and here', async () => {
    const { sandbox, bed } = cluster;
    sandbox.write('input', 'in');
    const id = await submit('vbatch -P n1 cp input output');
    expect((await ended(id)).status).toBe('SUCCESS');
    await sandbox.run('vctl', ['task', 'prune', '--older-than', '0s']);
    const contents = join(sandbox.state, 'workspaces', 'contents');
    await vi.waitFor(async () => {
      expect((await bed.host('n1').exec(['sh', '-c', 'ls /root/.vbatch/*/runs'])).stdout).toBe('');
      const left = readdirSync(contents, { recursive: true, withFileTypes: true });
      expect(left.filter((entry) => entry.isFile())).toEqual([]);
    }, patience);
  });
});
