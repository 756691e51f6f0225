/** From nothing to a task on a host over SSH, as a person types it at a terminal. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasSshd, SshBed } from '../integration/ssh/sshd.ts';
import { patience, Sandbox } from './sandbox.ts';

const hasScript = spawnSync('script', ['-V'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
if (!hasScript)
  console.error('SKIPPED: there is no script of util-linux, so nothing is typed at a terminal.');

describe.skipIf(!hasSshd || !hasScript)('vctl host', () => {
  let bed: SshBed;
  let sandbox: Sandbox;

  beforeAll(async () => {
    bed = await SshBed.open();
    await bed.makeKey('locked', 'open sesame');
    bed.trust('locked');
    const client = ['StrictHostKeyChecking ask', `UserKnownHostsFile ${bed.path('known')}`];
    await bed.serve('box', { client: [...client, `IdentityFile ${bed.path('locked')}`] });
    // Only the one with a passphrase is there to be used.
    rmSync(bed.path('id'));
    rmSync(bed.path('id.pub'));
    sandbox = new Sandbox(`# my hosts\nssh_config: ${bed.path('config')}\n`);
  });
  afterAll(async () => {
    await sandbox?.remove();
    await bed?.dispose();
  });

  const config = () => readFileSync(join(sandbox.folder, 'config.yaml'), 'utf8');

  /** Types a line at a terminal; where the text appears that an answer is for, types that answer. */
  async function typed(line: string, answers: [shown: string, answer: string][]) {
    const child = spawn('script', ['-qefc', line, '/dev/null'], {
      cwd: sandbox.work,
      env: { ...sandbox.env, TERM: 'xterm', NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let shown = '';
    let from = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      const [next] = answers;
      if (next === undefined || !shown.includes(next[0], from)) return;
      from = shown.length;
      answers.shift();
      child.stdin.write(next[1]);
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, shown: shown.replaceAll('\r', '') };
  }

  it('adds none whose key is not known where nobody can be asked', async () => {
    const { code, stdout, stderr } = await sandbox.run('vctl', ['host', 'add', 'box']);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^box is added to /)]);
    expect(stderr).toMatch(/^vctl: the host key of box is not known: SHA256:.*--accept-new-key/);
    const listed = await sandbox.run('vctl', ['host', 'list', '-o', 'json']);
    const box = JSON.parse(listed.stdout).find(({ name }: { name: string }) => name === 'box');
    expect(box).toMatchObject({ state: 'unreachable' });
    await sandbox.run('vctl', ['host', 'remove', 'box']);
    expect(config()).not.toContain('box:');
  });

  it('adds one, asking for its key and for a passphrase, and checks it', async () => {
    const { code, shown } = await typed('vctl host add box --cpus 1', [
      ['(yes/no/[fingerprint])? ', 'yes\n'],
      ["Enter passphrase for key '", 'wrong\n'],
      ["Enter passphrase for key '", 'open sesame\n'],
    ]);
    expect(shown).toContain(
      "The authenticity of host 'box' can't be established.\nED25519 key fingerprint is SHA256:",
    );
    expect(shown).toContain('That was not right; please try again.');
    expect(shown).toMatch(/✓ .*authentication .*it lets us in by .*locked/);
    expect(shown).not.toContain('sesame');
    expect(code).toBe(0);
    expect(config()).toMatch(/^# my hosts\nssh_config: .*\nhosts:\n {2}box: \{ cpus: 1 \}\n$/);
    expect(readFileSync(bed.path('known'), 'utf8')).toContain('ssh-ed25519');
    expect(readFileSync(join(sandbox.state, 'server.log'), 'utf8')).not.toContain('sesame');
  });

  it('runs a task there, and lets go of it and takes hold of it without asking again', async () => {
    appendFileSync(join(sandbox.folder, 'config.yaml'), 'pools: { there: { hosts: [box] } }\n');
    const run = () => sandbox.run('vrun', ['-P', 'there', 'sh', '-c', 'echo $VBATCH_HOST $HOME']);
    expect((await run()).stdout).toBe(`box ${bed.path('home-box')}\n`);
    const let_go = await sandbox.run('vctl', ['host', 'disconnect', 'box']);
    expect(let_go.stdout).toBe('box is disconnected\n');
    const listed = await sandbox.run('vctl', ['host', 'list', '-o', 'name,state', '--header=false']);
    expect(listed.stdout).toMatch(/^box +disconnected$/m);
    expect(await sandbox.run('vctl', ['host', 'connect', 'box'])).toMatchObject({
      stdout: 'box is online\n',
    });
    expect((await run()).stdout).toContain('box');
  });

  it('remembers over a restart of the server what was let go of, and not the passphrase', async () => {
    await sandbox.run('vctl', ['host', 'disconnect', 'box']);
    await sandbox.run('vctl', ['server', 'stop']);
    const listed = await sandbox.run('vctl', ['host', 'list', '-o', 'name,state', '--header=false']);
    expect(listed.stdout).toMatch(/^box +disconnected$/m);
    const without = await sandbox.run('vctl', ['host', 'connect', 'box']);
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('run `vctl host connect box` in a terminal');
    const { shown } = await typed('vctl host connect box', [['passphrase', 'open sesame\n']]);
    expect(shown).toContain('box is online\n');
  });

  it('checks and prunes', async () => {
    const checked = await sandbox.run('vctl', ['host', 'check', 'box', '-o', 'json']);
    const [{ findings }] = JSON.parse(checked.stdout);
    expect(findings.find(({ topic }: { topic: string }) => topic === 'logout')).toMatchObject({
      status: 'ok',
    });
    expect(checked.code).toBe(0);
    const old = join(bed.path('home-box'), '.vbatch', '0'.repeat(24));
    await sandbox.shell(`mkdir -p ${old} && head -c 100000 /dev/zero > ${old}/x`);
    expect((await sandbox.run('vctl', ['host', 'prune', 'box'])).stdout).toMatch(
      /box: 1 other server of yours has left \d+.*K; --all asks about them\n/,
    );
    const { shown } = await typed('vctl host prune box --all', [['[y/N]? ', 'y\n']]);
    expect(shown).toMatch(/removed 1 other server's folder: \d+.*K freed/);
    expect(existsSync(old)).toBe(false);
  });

  it('goes on with what runs on a host that is removed, which goes after that', async () => {
    const gate = join(sandbox.folder, 'gate');
    const script = `echo begun; while [ ! -e ${gate} ]; do sleep 0.1; done; echo ended`;
    const id = await sandbox.submit(`vbatch -P there --name lasting sh -c '${script}'`);
    await vi.waitFor(async () => expect((await sandbox.log(id)).stdout).toBe('begun\n'), patience);
    writeFileSync(join(sandbox.folder, 'config.yaml'), config().replace(/^pools.*\n/m, ''));
    const refused = await sandbox.run('vctl', ['host', 'remove', 'box']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('1 task runs on box')]);
    expect((await sandbox.run('vctl', ['host', 'remove', 'box', '--force'])).code).toBe(0);
    const listed = async () =>
      (await sandbox.run('vctl', ['host', 'list', '-o', 'name', '--header=false'])).stdout;
    expect(await listed()).toContain('box');
    writeFileSync(gate, '');
    expect(await sandbox.ended(id)).toMatchObject({ status: 'SUCCESS' });
    await vi.waitFor(async () => expect(await listed()).toBe('local\n'), patience);
    expect((await sandbox.log(id)).stdout).toBe('begun\nended\n');
  });

  it('keeps what tasks on a removed host have printed until they are pruned', async () => {
    const { stdout } = await sandbox.run('vctl', ['task', 'list', '-o', 'id', '--header=false']);
    const id = stdout.split('\n').find((each) => each.startsWith('lasting')) ?? '';
    const printed = 'begun\nended\n';
    await sandbox.run('vctl', ['server', 'stop']);
    expect(await sandbox.log(id)).toMatchObject({ code: 0, stdout: printed });
    const kept = () => readdirSync(join(sandbox.state, 'hosts/box'), { recursive: true }).map(String);
    expect(kept().filter((name) => name.endsWith('.out'))).not.toEqual([]);
    await sandbox.run('vctl', ['task', 'prune', '--older-than', '0s']);
    await vi.waitFor(() => expect(kept().filter((name) => name.endsWith('.out'))).toEqual([]), patience);
  });

  it('makes the configuration file for its owner alone where there is none', async () => {
    const file = join(sandbox.folder, 'fresh/config.yaml');
    const target = `root@127.0.0.1:${/Port (\d+)/.exec(readFileSync(bed.path('config'), 'utf8'))?.[1]}`;
    const env = { VBATCH_CONFIG: file, VBATCH_HOME: join(sandbox.folder, 'fresh-state') };
    const { code, stderr } = await sandbox.run('vctl', ['host', 'add', 'fresh', '--ssh', target], env);
    await sandbox.run('vctl', ['server', 'stop'], env);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not known: SHA256:')]);
    expect(readFileSync(file, 'utf8')).toBe(`hosts:\n  fresh: { ssh: ${target} }\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
