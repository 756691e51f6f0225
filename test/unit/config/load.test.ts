import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../server/config/load.ts';
import { thisProcess } from '../../../server/config/trust.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('load.test.ts: only root can give files away; tests of foreign files are skipped');

describe('loadConfiguration', () => {
  let root: string;
  let userFile: string;
  let workspace: string;
  let workspaceFile: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'vbatch-load-'));
    userFile = join(root, 'config.yaml');
    workspace = join(root, 'work');
    workspaceFile = join(workspace, '.vbatch/config.yaml');
    await mkdir(join(workspace, '.vbatch'), { recursive: true });
  });

  afterEach(() => rm(root, { recursive: true }));

  const load = () => loadConfiguration({ userFile, workspace });
  /** As if the files had been left alone for an hour. */
  const loadLater = () => loadConfiguration({ userFile, workspace }, Date.now() + 3_600_000);

  it('has this machine, pool shell and a grace of 10 s where there are no files', async () => {
    const configuration = await load();
    expect([...configuration.hosts.keys()]).toEqual(['local']);
    expect([...configuration.pools.keys()]).toEqual(['shell']);
    expect(configuration).toMatchObject({
      workspace: null,
      sshConfig: null,
      defaults: { pool: 'shell', grace: 10 },
      base: null,
    });
  });

  it('takes /dev/null, an empty file and a path below a file for no configuration', async () => {
    for (const file of ['/dev/null', userFile, join(userFile, 'config.yaml')]) {
      await writeFile(userFile, '');
      const configuration = await loadConfiguration({ userFile: file, workspace: null });
      expect([...configuration.pools.keys()]).toEqual(['shell']);
    }
  });

  it('lets the workspace win key by key, host by host and pool by pool', async () => {
    await writeFile(
      userFile,
      `ssh_config: other
hosts: { big: { cpus: 64, setup: a }, gpu-box: {} }
pools: { prep: { hosts: [big], cpus: 16, slots: 4 }, mine: { env: { A: 1 } } }
defaults: { pool: prep, grace: 30s }`,
    );
    await writeFile(
      workspaceFile,
      `hosts: { big: { ssh: me@10.0.0.5 } }
pools: { prep: { hosts: [gpu-box, local] }, extra: {} }
defaults: { pool: extra }`,
    );
    const { hosts, pools, ...rest } = await load();
    expect(rest).toMatchObject({
      workspace,
      sshConfig: join(root, 'other'),
      defaults: { pool: 'extra', grace: 30 },
    });
    expect([...hosts.keys()]).toEqual(['local', 'big', 'gpu-box']);
    expect(hosts.get('big')).toEqual({
      name: 'big',
      ssh: { target: 'me@10.0.0.5', configFile: join(root, 'other'), transport: null },
      folder: '~/.vbatch',
      shape: {},
      gpuOrder: [],
      slotsPerGpu: 1,
      address: null,
      isShared: false,
      paths: [],
      setup: '',
      environment: {},
    });
    expect(hosts.get('gpu-box')?.ssh?.target).toBe('gpu-box');
    expect(hosts.get('local')?.ssh).toBeNull();
    expect([...pools.keys()]).toEqual(['shell', 'prep', 'mine', 'extra']);
    expect(pools.get('prep')).toMatchObject({
      key: `prep@${workspace}`,
      hosts: ['gpu-box', 'local'],
      shape: { cpus: 0, memory: 0, gpus: 0 },
      slots: null,
      source: workspaceFile,
    });
    expect(pools.get('mine')).toMatchObject({ key: 'mine', source: userFile, environment: { A: '1' } });
    expect(rest.base?.pools.get('prep')).toMatchObject({ key: 'prep', slots: 4 });
  });

  it('looks for ssh_config from the folder of the file, or from home', async () => {
    await writeFile(userFile, 'ssh_config: ~/.ssh/other');
    expect((await load()).sshConfig).toBe(join(homedir(), '.ssh/other'));
    await writeFile(workspaceFile, 'ssh_config: ../hosts');
    expect((await load()).sshConfig).toBe(join(workspace, 'hosts'));
  });

  it('takes of a host what is written of it', async () => {
    await writeFile(
      userFile,
      `hosts:
  big: { transport: system, folder: /scratch/v, cpus: 8, gpus: 2, gpu_order: [1, 0], slots_per_gpu: 2 }
  local: { gpu_order: reverse }`,
    );
    const { hosts } = await load();
    expect(hosts.get('big')).toEqual({
      name: 'big',
      ssh: { target: 'big', configFile: null, transport: 'system' },
      folder: '/scratch/v',
      shape: { cpus: 8, gpus: 2 },
      gpuOrder: [1, 0],
      slotsPerGpu: 2,
      address: null,
      isShared: false,
      paths: [],
      setup: '',
      environment: {},
    });
    expect(hosts.get('local')).toMatchObject({ ssh: null, gpuOrder: 'reverse', slotsPerGpu: 1 });
  });

  it("lets a workspace's ssh_config hold for its own hosts, and for none of the user's", async () => {
    await writeFile(userFile, 'ssh_config: mine\nhosts: { big: {}, small: {} }');
    await writeFile(workspaceFile, 'ssh_config: theirs\nhosts: { small: {} }');
    const { hosts } = await load();
    expect(hosts.get('big')?.ssh?.configFile).toBe(join(root, 'mine'));
    expect(hosts.get('small')?.ssh?.configFile).toBe(join(workspace, '.vbatch/theirs'));
  });

  it('names the file that is wrong', async () => {
    await writeFile(userFile, 'hosts: { big: {} }');
    await writeFile(workspaceFile, 'pools:\n  p: { hosts: [bigg] }');
    await expect(load()).rejects.toMatchObject({
      code: 'configuration',
      message: `${workspaceFile}:2:16: pools.p.hosts[0] is "bigg", which is not among the hosts; did you mean "big"?`,
    });
  });

  describe('refuses, with the reason, a file that', () => {
    const refusal = (reason: string) =>
      expect(load()).rejects.toMatchObject({
        code: 'configuration',
        message: `cannot read the configuration file ${userFile}: ${reason}`,
      });

    it('is a folder', async () => {
      await mkdir(userFile);
      await refusal('it is a folder');
    });

    it('is a device', async () => {
      await symlink('/dev/zero', userFile);
      await refusal('it is not a file');
    });

    it('cannot be reached', async () => {
      await symlink(userFile, userFile);
      await refusal('too many symbolic links encountered');
    });

    it.skipIf(isRoot)('may not be read', async () => {
      await writeFile(userFile, '');
      await chmod(userFile, 0);
      await refusal('permission denied');
    });

    it('is no text', async () => {
      await writeFile(userFile, Buffer.from([0x61, 0x3a, 0xff]));
      await refusal('it is not UTF-8 text');
    });

    it('is far too large', async () => {
      await writeFile(userFile, '#'.repeat(3 * 1024 ** 2));
      await refusal('it has 3M, and 256K is the limit');
    });
  });

  describe.skipIf(process.platform === 'win32')('where somebody else could write commands into it', () => {
    const me = thisProcess() ?? { uid: 0, gid: 0 };
    const refusal = (file: string, reason: string) => ({
      code: 'configuration',
      message: `the configuration file ${file} is not obeyed, because commands in it run as you, and ${reason}, or remove it`,
    });

    it.runIf(isRoot)('refuses a file of another user', async () => {
      for (const file of [userFile, workspaceFile]) {
        await writeFile(file, 'pools: { a: {} }');
        await chown(file, 4242, 4242);
        await expect(load()).rejects.toMatchObject(
          refusal(file, 'it belongs to user 4242: make it yours with "chown"'),
        );
        await chown(file, me.uid, me.gid);
        expect((await load()).pools.has('a')).toBe(true);
      }
    });

    it.runIf(isRoot)('refuses a file in a folder of another user, who may have linked it there', async () => {
      await writeFile(join(root, 'mine'), 'pools: { a: {} }');
      await symlink(join(root, 'mine'), workspaceFile);
      expect((await load()).pools.has('a')).toBe(true);
      await chown(join(workspace, '.vbatch'), 4242, 4242);
      await expect(load()).rejects.toMatchObject(
        refusal(workspaceFile, 'its folder belongs to user 4242: make it yours with "chown"'),
      );
    });

    it.runIf(isRoot)('obeys files of root', async () => {
      await writeFile(workspaceFile, 'pools: { a: {} }');
      const another = { uid: 4242, gid: 4242 };
      const { pools } = await loadConfiguration({ userFile, workspace }, Date.now(), another);
      expect(pools.has('a')).toBe(true);
    });

    it('refuses what everybody can write to', async () => {
      for (const file of [userFile, workspaceFile]) {
        await writeFile(file, '');
        await chmod(file, 0o666);
        await expect(load()).rejects.toMatchObject(
          refusal(file, 'it can be changed by everybody: forbid it with "chmod o-w"'),
        );
        await chmod(file, 0o644);
      }
      await chmod(join(workspace, '.vbatch'), 0o1777);
      await expect(load()).rejects.toMatchObject(
        refusal(workspaceFile, 'its folder can be changed by everybody: forbid it with "chmod o-w"'),
      );
    });

    it("lets one's own group write, and no other", async () => {
      await writeFile(workspaceFile, 'pools: { a: {} }');
      await chmod(workspaceFile, 0o664);
      await chmod(join(workspace, '.vbatch'), 0o775);
      expect((await load()).pools.has('a')).toBe(true);
      const another = { ...me, gid: me.gid + 1 };
      await expect(loadConfiguration({ userFile, workspace }, Date.now(), another)).rejects.toMatchObject(
        refusal(workspaceFile, `it can be changed by group ${me.gid}: forbid it with "chmod g-w"`),
      );
    });

    it('asks again when a file that it has obeyed was given away', async () => {
      await writeFile(workspaceFile, 'pools: { a: {} }');
      expect((await loadLater()).pools.has('a')).toBe(true);
      await chmod(workspaceFile, 0o666);
      await expect(loadLater()).rejects.toThrow('can be changed by everybody');
    });

    it('asks nobody where files have no owner', async () => {
      await writeFile(workspaceFile, 'pools: { a: {} }');
      await chmod(workspaceFile, 0o666);
      const { pools } = await loadConfiguration({ userFile, workspace }, Date.now(), null);
      expect(pools.has('a')).toBe(true);
    });
  });

  describe('while the files stay as they are', () => {
    it('gives the same configuration', async () => {
      await writeFile(userFile, 'pools: { a: {} }');
      const first = await loadLater();
      expect(await loadLater()).toBe(first);
      expect(await loadConfiguration({ userFile, workspace: null })).not.toBe(first);
    });

    it('trusts no file that changed a moment ago, for it may change again unnoticed', async () => {
      await writeFile(userFile, 'pools: { a: {} }');
      expect(await load()).not.toBe(await load());
    });
  });

  it.each([
    ['is written again', () => writeFile(userFile, 'pools: { longer: {} }')],
    ['is removed', () => rm(userFile)],
    [
      'is replaced by one of the same size',
      async () => {
        await writeFile(`${userFile}.new`, 'pools: { b: {} }');
        await rename(`${userFile}.new`, userFile);
      },
    ],
    ['gets company', () => writeFile(workspaceFile, 'pools: { b: {} }')],
  ])('reads again when a file %s', async (_, change) => {
    await writeFile(userFile, 'pools: { a: {} }');
    const first = await loadLater();
    await change();
    const second = await loadLater();
    expect([...second.pools.keys()]).not.toEqual([...first.pools.keys()]);
  });

  it('recovers from a mistake once it is mended', async () => {
    await writeFile(userFile, 'pools: 1');
    await expect(loadLater()).rejects.toThrow('pools is 1');
    await writeFile(userFile, 'pools: { a: {} }');
    expect((await loadLater()).pools.has('a')).toBe(true);
  });
});
