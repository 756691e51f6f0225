/** Hosts as they are found: other login shells, chatty start-up files, few programs, disks that are full. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed, possible } from '../../support/testbed/testbed.ts';
import { Cluster, type ClusterHost } from './cluster.ts';

const missing = possible();
if (missing !== null)
  console.error(`SKIPPED: no hosts can be made here, so no odd host is tested: ${missing}`);

const chatty = 'echo "Welcome!"; echo "to this host" >&2\n';

/** What each is, and whether this machine can make it. */
const hosts: (ClusterHost & { what: string; needs?: string })[] = [
  { name: 'busybox', what: 'with busybox and nothing else', busyboxOnly: true, needs: 'busybox' },
  { name: 'csh', what: 'with csh as login shell', shell: '/bin/tcsh', needs: 'tcsh' },
  { name: 'fish', what: 'with fish as login shell', shell: '/usr/bin/fish', needs: 'fish' },
  { name: 'dash', what: 'with dash as login shell', shell: '/bin/dash' },
  { name: 'nosetsid', what: 'without setsid', without: ['setsid'] },
  { name: 'nobash', what: 'without bash', shell: '/bin/dash', without: ['bash'] },
  {
    name: 'chatty',
    what: 'with start-up files that print',
    files: { '/root/.bashrc': { text: chatty }, '/root/.profile': { text: chatty } },
  },
  {
    name: 'early',
    what: 'with a .bashrc that returns early',
    files: {
      '/root/.profile': { text: '. ~/.bashrc\n' },
      '/root/.bashrc': { text: 'case $- in *i*) ;; *) return ;; esac\nexport FROM_BASHRC=yes\n' },
    },
  },
  { name: 'single', what: 'that opens two sessions a connection', sshd: ['MaxSessions 3'] },
];
const possibleHosts = hosts.filter(({ needs, name }) => {
  const absent = needs !== undefined && installed(needs) === null;
  if (absent && missing === null)
    console.error(`SKIPPED: ${needs} is not installed, so there is no host ${name}.`);
  return !absent;
});

describe.skipIf(missing !== null)('a host', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up(possibleHosts);
    const pools = possibleHosts.map(({ name }) => `  ${name}: { hosts: [${name}] }\n`).join('');
    cluster.configure(`pools:\n${pools}defaults: { grace: 1s }\n`);
  });
  afterAll(() => cluster?.down());

  const shell = (line: string) => cluster.sandbox.shell(line);

  it.each(possibleHosts)('$what runs tasks, and tasks of tasks', async ({ name }) => {
    await cluster.write(
      'nest.sh',
      `#!/bin/sh
echo "on $(hostname)"
vrun --name inner sh -c 'echo inner; echo warn >&2; exit 4'
echo "code $?"
seq 3 | xargs -I {} vbatch --name t{} true >/dev/null
`,
    );
    const { stdout, stderr, code } = await shell(`vrun -P ${name} ./nest.sh`);
    expect([stdout, stderr.split('\n')[0]]).toEqual([`on ${name}\ninner\ncode 4\n`, 'warn']);
    expect(code).toBe(1);
  });

  it.each(possibleHosts)('$what ends all that a task has started when it is cancelled', async ({ name }) => {
    await cluster.write(
      'many.sh',
      '#!/bin/sh\ntrap "" TERM\n(sleep 987 & sleep 987) &\n! command -v setsid >/dev/null || setsid sleep 987 &\necho up\nsleep 987\n',
    );
    const { stdout } = await shell(`vbatch -P ${name} ./many.sh`);
    const id = stdout.trim();
    while (!(await cluster.sandbox.log(id)).stdout.includes('up')) {
      expect((await cluster.sandbox.task(id)).status).toMatch(/RUNNING|STARTING|QUEUED/);
    }
    const sleeping = () =>
      cluster.bed
        .host(name)
        .processes()
        .filter(({ command }) => command.includes('sleep 987'));
    expect(sleeping().length).toBeGreaterThan(0);
    await shell(`vctl cancel ${id}; vctl watch ${id}`);
    expect((await cluster.sandbox.task(id)).status).toBe('CANCELLED');
    expect(sleeping()).toEqual([]);
  });

  it('R34 with a .bashrc that returns early has the environment of an interactive login shell', async () => {
    expect((await shell(`vrun -P early sh -c 'echo $FROM_BASHRC'`)).stdout).toBe('yes\n');
  });
});

describe.skipIf(missing !== null)('a host in trouble', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up([
      { name: 'full', disk: '16m' },
      { name: 'fixed' },
      { name: 'other', config: '{ ssh: fixed, folder: /var/tmp/elsewhere }' },
      { name: 'bare', shell: '/bin/dash', without: ['bash', 'setsid'] },
    ]);
    cluster.configure(
      'pools:\n  full: { hosts: [full] }\n  fixed: { hosts: [fixed] }\n  other: { hosts: [other] }\n',
    );
  });
  afterAll(() => cluster?.down());

  const shell = (line: string) => cluster.sandbox.shell(line);

  it('says that its disk is full, loses no task by it, and goes on when there is room', {
    timeout: 90_000,
  }, async () => {
    expect((await shell('vrun -P full true')).code).toBe(0);
    // What the host forgets makes room: enough to start the next one, not enough for its end.
    const kept = async () =>
      (await cluster.bed.host('full').exec(['find', '/root/.vbatch', '-name', '1.1.*'])).stdout;
    while ((await kept()) !== '');
    await cluster.bed.host('full').fillDisk();
    const { code, stderr } = await shell('vrun -P full sh -c "echo x"');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/nothing can be written for this task on full.*disk/);
    await cluster.bed.host('full').freeDisk();
    expect((await shell('vrun -P full sh -c "echo x"')).stdout).toBe('x\n');
  });

  it('keeps what a task does that fills the disk', { timeout: 90_000 }, async () => {
    const { stdout } = await shell(
      `vbatch -P full sh -c 'echo first; cat /dev/zero >/ballast; code=$?; rm /ballast; echo "code $code"'`,
    );
    await shell(`vctl watch ${stdout.trim()}`);
    expect((await cluster.sandbox.log(stdout.trim())).stdout).toBe('first\ncode 1\n');
  });

  it('says that its home is read-only, and works with another folder', async () => {
    await cluster.bed.host('fixed').makeReadOnly('/root');
    cluster.bed.host('fixed').killSessions();
    const listed = async () => (await shell('vctl host list -o wide')).stdout;
    while (!(await listed()).includes('cannot be written')) await shell('vctl server status');
    expect(await listed()).toMatch(/fixed\s+unreachable.*cannot be written: .*Read-only/);
    expect((await shell('vrun -P other hostname')).stdout).toBe('fixed\n');
  });

  it('says what is missing where tasks cannot be detached', async () => {
    expect((await shell('vctl host list -o wide')).stdout).toMatch(
      /bare\s+unreachable.*without bash or setsid/,
    );
  });
});
