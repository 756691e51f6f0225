/** The bed of hosts that tests of SSH stand on, against the system's own ssh. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Freezer } from '../support/testbed/keeper.ts';
import { Relay } from '../support/testbed/relay.ts';
import { installed, possible, Testbed } from '../support/testbed/testbed.ts';

const obstacle = possible();
if (obstacle !== null) console.warn(`NOT TESTED: hosts behind SSH (${obstacle})`);

/** For hosts that do not answer. */
const impatient = ['-o', 'ConnectTimeout=1'];

/** A shell on a host, over ssh, that does what it is told line by line. */
function session(bed: Testbed, host: string) {
  const child = spawn('ssh', ['-F', bed.sshConfig, host, 'sh']);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ended: once(child, 'close'),
    isOver: () => child.exitCode !== null,
    say: (line: string) => child.stdin.write(`${line}\n`),
    leave: () => child.stdin.end(),
    heard: async () => (await lines.next()).value as string,
  };
}

describe.skipIf(obstacle !== null)('a test bed', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await Testbed.up({
      hosts: [
        { name: 'n1', gpus: 2 },
        { name: 'n2', disk: '8m' },
        {
          name: 'n3',
          shell: '/bin/dash',
          sshd: ['MaxSessions 3'],
          files: {
            '/root/.profile': { text: 'echo from a profile\n' },
            '/usr/local/bin/greet': { text: '#!/bin/sh\necho hello\n', mode: 0o755 },
          },
          without: ['setsid', 'bash'],
        },
      ],
    });
  });
  afterAll(() => bed.down());

  async function stdoutOf(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await bed.ssh(host, command);
    if (code !== 0) throw new Error(`${command} on ${host} exited with ${code}: ${stderr}`);
    return stdout;
  }

  it('gives each host a name, a home, processes and a root folder of its own', async () => {
    await stdoutOf('n1', 'echo mine > mark; mkfifo /tmp/pipe');
    const look = async (name: string) => {
      expect(await stdoutOf(name, 'hostname; pwd; echo $HOME')).toBe(`${name}\n/root\n/root\n`);
      expect(existsSync(bed.host(name).path('/root/mark'))).toBe(name === 'n1');
      expect(existsSync(bed.host(name).path('/tmp/pipe'))).toBe(name === 'n1');
      expect(existsSync(bed.host(name).path(import.meta.filename))).toBe(false);
      // The sshd of the session before takes its time to end.
      const processes = () => bed.host(name).processes();
      await expect.poll(() => processes().length).toBe(2);
      expect(processes()).toMatchObject([
        { pid: 1, command: '/bin/sh /etc/bed/init' },
        { command: expect.stringContaining('[listener]') },
      ]);
    };
    await Promise.all(['n1', 'n2', 'n3'].map(look));
  });

  it('gives hosts what was asked for', async () => {
    const lines = ['echo $SHELL', 'greet', '. ~/.profile', 'command -v setsid bash', 'echo $?'];
    expect(await stdoutOf('n3', lines.join('; '))).toBe('/bin/dash\nhello\nfrom a profile\n127\n');
    expect(bed.host('n3').read('/etc/bed/sshd_config')).toMatch(/^MaxSessions 3\n/);
    expect(await stdoutOf('n1', 'setsid true; echo $SHELL $BASH')).toMatch('/bin/bash /');
  });

  it('shows GPUs where there are any, and who uses them', async () => {
    const host = bed.host('n1');
    const query = (what: string) =>
      host.exec(['nvidia-smi', `--query-${what}`, '--format=csv,noheader,nounits']);
    expect(
      await stdoutOf('n1', 'nvidia-smi --query-gpu=index,name,memory.total --format=csv,noheader,nounits'),
    ).toBe('0, NVIDIA Bed, 24576\n1, NVIDIA Bed, 24576\n');
    const users = 'compute-apps=gpu_uuid,pid,used_memory';
    expect(await query(users)).toEqual({ code: 0, stdout: '', stderr: '' });
    host.useGpus([
      { gpu: 1, pid: 4711, memory: 1000 },
      { gpu: 1, pid: 4712, memory: 24 },
    ]);
    const [first, second] = host.gpus;
    expect((await query('gpu=uuid,memory.used,memory.free,utilization.gpu')).stdout).toBe(
      `${first}, 0, 24576, 0\n${second}, 1024, 23552, 97\n`,
    );
    expect((await query(users)).stdout).toBe(`${second}, 4711, 1000\n${second}, 4712, 24\n`);
    expect(await query('gpu=index,colour')).toMatchObject({ code: 2 });
    expect(await bed.ssh('n2', 'nvidia-smi')).toMatchObject({ code: 127 });
  });

  it('lets clients in by either key, knows the hosts by theirs, and jumps', async () => {
    const { encryptedKey, passphrase } = bed.clientFolder;
    const askPass = join(bed.clientFolder.path, 'askpass');
    writeFileSync(askPass, `#!/bin/sh\necho '${passphrase}'\n`, { mode: 0o700 });
    const only = ['-o', 'BatchMode=no', '-o', `IdentityFile=none`, '-i', encryptedKey];
    const env = { ...process.env, SSH_ASKPASS: askPass, SSH_ASKPASS_REQUIRE: 'force' };
    const child = spawn('ssh', ['-F', bed.sshConfig, ...only, 'n2', 'true'], { env });
    expect(await once(child, 'close')).toEqual([0, null]);

    const asAnother = ['-o', `HostKeyAlias=${bed.host('n2').address}`];
    const impostor = await bed.ssh('n1', 'true', asAnother);
    expect(impostor).toMatchObject({
      code: 255,
      stderr: expect.stringContaining('IDENTIFICATION HAS CHANGED'),
    });
    expect(await bed.ssh('n2', 'hostname', ['-J', 'n1'])).toMatchObject({ code: 0, stdout: 'n2\n' });
  });

  it('adds accounts', async () => {
    bed.host('n1').addAccount('ada', '/bin/dash');
    const { stdout } = await bed.ssh('n1', 'id -un; pwd; echo $SHELL; touch mine; stat -c %U mine', [
      '-l',
      'ada',
    ]);
    expect(stdout).toBe('ada\n/home/ada\n/bin/dash\nada\n');
  });

  it('keeps sessions over a link that is down for a while, and lets nobody in meanwhile', async () => {
    const shell = session(bed, 'n1');
    shell.say('echo one');
    expect(await shell.heard()).toBe('one');
    await bed.host('n1').link('down');
    shell.say('echo two');
    expect(await bed.ssh('n1', 'true', impatient)).toMatchObject({
      code: 255,
      stderr: expect.stringContaining('timed out'),
    });
    await bed.host('n1').link('up');
    expect(await shell.heard()).toBe('two');
    shell.leave();
    expect(await shell.ended).toEqual([0, null]);
  });

  it('crashes a host so that all know it, and boots it with the disk it had', async () => {
    const host = bed.host('n1');
    const shell = session(bed, 'n1');
    shell.say('echo kept > kept; echo gone > /tmp/gone; sleep 1000 & echo done');
    expect(await shell.heard()).toBe('done');
    await host.crash();
    expect(await shell.ended).toEqual([255, null]);
    expect(() => host.processes()).toThrow('Host n1 is down');
    expect(await bed.ssh('n1', 'true', impatient)).toMatchObject({ code: 255 });
    await host.boot();
    expect(await stdoutOf('n1', 'cat kept; ls /tmp')).toBe('kept\n');
    expect(host.processes().filter(({ command }) => command.startsWith('sleep'))).toEqual([]);
    await expect(host.boot()).rejects.toThrow('boot n1: it is running');
  });

  it('cuts the power of a host so that nobody knows it', async () => {
    const host = bed.host('n1');
    const shell = session(bed, 'n1');
    shell.say('echo ready');
    expect(await shell.heard()).toBe('ready');
    await host.link('down');
    await host.crash();
    await host.boot();
    await host.link('up');
    expect(await stdoutOf('n1', 'hostname')).toBe('n1\n');
    expect(shell.isOver()).toBe(false);
    shell.say('echo anybody there');
    expect(await shell.ended).toEqual([255, null]);
  });

  it('kills the sshd of sessions, and leaves commands and the listener alone', async () => {
    const host = bed.host('n2');
    const shell = session(bed, 'n2');
    shell.say('sleep 1000 </dev/null >/dev/null 2>&1 & echo $!');
    const pid = Number(await shell.heard());
    host.killSessions();
    expect(await shell.ended).toEqual([255, null]);
    expect(host.processes()).toContainEqual(expect.objectContaining({ pid, command: 'sleep 1000' }));
    expect(await stdoutOf('n2', `kill ${pid}; hostname`)).toBe('n2\n');
    await expect.poll(() => host.processes().some((process) => process.pid === pid)).toBe(false);
  });

  it('cuts connections', async () => {
    const shell = session(bed, 'n2');
    shell.say('echo ready');
    expect(await shell.heard()).toBe('ready');
    await bed.host('n2').cutConnections();
    expect(await shell.ended).toEqual([255, null]);
  });

  it('fills disks up, and makes folders read-only', async () => {
    const host = bed.host('n2');
    const write = () => bed.ssh('n2', 'echo something > file');
    await host.fillDisk();
    expect(await write()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No space left on device'),
    });
    await host.freeDisk();
    expect((await write()).code).toBe(0);
    await host.makeReadOnly('/root');
    expect(await write()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Read-only file system'),
    });
    expect((await host.exec(['touch', '/elsewhere'])).code).toBe(0);
  });

  it('is reached over a relay that takes its time', async () => {
    const host = bed.host('n1');
    const relay = await Relay.start({ host: host.address });
    try {
      const way = [
        '-o',
        'HostName=127.0.0.1',
        '-p',
        String(relay.port),
        '-o',
        `HostKeyAlias=${host.address}`,
      ];
      const start = performance.now();
      expect(await bed.ssh('n1', 'hostname', way)).toMatchObject({ code: 0, stdout: 'n1\n' });
      // TCP, versions, key exchange, service, key offered, key used, session, command: a round trip each or more.
      expect(performance.now() - start).toBeGreaterThan(6 * 50);
    } finally {
      await relay.close();
    }
  });
});

describe.skipIf(obstacle !== null).concurrent('a host that hangs', () => {
  it.for<Freezer>(['cgroup2', 'cgroup1', 'signals'])('by %s', async (freezer, { skip }) => {
    const bed = await Testbed.up({ hosts: [{ name: 'n1' }], freezers: [freezer] }).catch(
      (error: Error) => error,
    );
    if (bed instanceof Error) {
      if (!bed.message.includes('none of these ways')) throw bed;
      console.warn(`NOT TESTED: ${bed.message}`);
      return skip(bed.message);
    }
    try {
      const host = bed.host('n1');
      const shell = session(bed, 'n1');
      // With a process that dash starts by vfork, and children of children.
      shell.say('echo ready; sh -c "while :; do sh -c \'echo >> ticks\'; done"');
      await shell.heard();
      const ticks = () => host.read('/root/ticks').length;
      await expect.poll(ticks).toBeGreaterThan(3);
      await host.freeze();
      const frozenAt = ticks();
      expect(await bed.ssh('n1', 'true', impatient)).toMatchObject({
        code: 255,
        stderr: expect.stringContaining('timed out'),
      });
      expect(ticks()).toBe(frozenAt);
      await host.thaw();
      await expect.poll(ticks).toBeGreaterThan(frozenAt + 3);
      expect((await bed.ssh('n1', 'true')).code).toBe(0);

      await host.freeze();
      await host.crash();
      expect(await shell.ended).toEqual([255, null]);
      await host.boot();
      expect((await bed.ssh('n1', 'true')).code).toBe(0);
    } finally {
      await bed.down();
    }
  });
});

/** What each login shell makes of a line that no other understands. */
const shells: Readonly<Record<string, string>> = {
  dash: 'x=one; echo $x${BASH-}',
  bash: 'x=(zero one); echo ${x[1]}',
  zsh: 'x=(one two); echo $x[1]',
  tcsh: 'set x = (one two); echo $x[1]',
  fish: 'set x one two; echo $x[1]',
};

describe.skipIf(obstacle !== null)('a host of another kind', () => {
  it('has the login shell that was asked for', async ({ skip }) => {
    const present = Object.entries(shells).flatMap(([name, line]) => {
      const shell = installed(name);
      if (shell === undefined) console.warn(`NOT TESTED: hosts with ${name} as login shell (not installed)`);
      return shell === undefined ? [] : [{ name, shell, line }];
    });
    if (present.length === 0) return skip();
    const bed = await Testbed.up({ hosts: present });
    try {
      const answers = await Promise.all(present.map(({ name, line }) => bed.ssh(name, line)));
      expect(answers).toEqual(present.map(() => ({ code: 0, stdout: 'one\n', stderr: '' })));
    } finally {
      await bed.down();
    }
  });

  it('has busybox and nothing else, but SFTP', async ({ skip }) => {
    if (installed('busybox') === undefined) {
      console.warn('NOT TESTED: hosts with busybox only (not installed)');
      return skip();
    }
    const bed = await Testbed.up({ hosts: [{ name: 'n1', busyboxOnly: true, gpus: 1 }] });
    try {
      const { stdout } = await bed.ssh(
        'n1',
        'for tool in bash perl ssh; do command -v $tool; done; ls --help 2>&1',
      );
      expect(stdout).toMatch(/^BusyBox v/);
      expect(await bed.ssh('n1', 'nvidia-smi --query-gpu=index --format=csv,noheader,nounits')).toMatchObject(
        {
          code: 0,
          stdout: '0\n',
        },
      );
      const batch = join(bed.clientFolder.path, 'batch');
      writeFileSync(batch, `put ${batch} copy\n`);
      const child = spawn('sftp', ['-F', bed.sshConfig, '-b', batch, 'n1'], { stdio: 'ignore' });
      expect(await once(child, 'close')).toEqual([0, null]);
      expect(bed.host('n1').read('/root/copy')).toBe(readFileSync(batch, 'utf8'));
    } finally {
      await bed.down();
    }
  });
});
