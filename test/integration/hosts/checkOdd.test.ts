/** What `vctl host check` finds on machines as they are found. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSshHost } from '../../../server/hosts/ssh/check.ts';
import type { Finding } from '../../../server/protocol/hosts.ts';
import { type HostOptions, installed, possible, Testbed } from '../../support/testbed/testbed.ts';

const obstacle = possible();
if (obstacle !== null)
  console.error(`SKIPPED: no odd host is checked, as none can be made here: ${obstacle}`);

/** What each host is, and what of it is not as it should be. */
const hosts: { host: HostOptions; needs?: string; wrong: Record<string, Partial<Finding>> }[] = [
  { host: { name: 'plain' }, wrong: {} },
  { host: { name: 'busybox', busyboxOnly: true }, needs: 'busybox', wrong: {} },
  { host: { name: 'tcsh', shell: '/bin/tcsh' }, needs: 'tcsh', wrong: {} },
  { host: { name: 'fish', shell: '/usr/bin/fish' }, needs: 'fish', wrong: {} },
  { host: { name: 'zsh', shell: '/bin/zsh' }, needs: 'zsh', wrong: {} },
  {
    host: { name: 'unfit', shell: '/bin/dash', without: ['bash', 'setsid'] },
    wrong: { agent: { status: 'failure', fix: expect.stringContaining('install bash') } },
  },
  {
    host: { name: 'lacking', without: ['mkfifo'] },
    wrong: { programs: { status: 'failure', text: 'it lacks mkfifo' } },
  },
  {
    host: { name: 'small', disk: '4m' },
    wrong: { disk: { status: 'warning', text: expect.stringContaining('of 4M are free for') } },
  },
  {
    host: { name: 'killer' },
    wrong: {
      logout: {
        status: 'failure',
        text: 'processes are ended with their connection',
        fix: expect.stringContaining('KillUserProcesses=no'),
      },
    },
  },
];
const present = hosts.filter(({ needs }) => needs === undefined || installed(needs) !== null);

describe.skipIf(obstacle !== null)('the check of a host', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await Testbed.up({ hosts: present.map(({ host }) => host) });
    // What logind does where KillUserProcesses is set.
    bed.host('killer').spawn(['sh', '-c', "while :; do pkill -f '^sleep 60$'; sleep 0.1; done"]);
  });
  afterAll(() => bed?.down());

  const check = async (target: string) => {
    const findings = await checkSshHost({
      target,
      configFile: bed.sshConfig,
      env: { PATH: process.env.PATH },
      folder: '~/.vbatch/host',
      standing: null,
      configured: {},
      log: () => {},
    });
    return Object.fromEntries(findings.map((finding) => [finding.topic, finding]));
  };

  it.each(present)('$host.name finds what is wrong there, and nothing else', async ({ host, wrong }) => {
    const report = await check(host.name);
    // The disks of these hosts are memory, and small.
    const { disk, ...rest } = report;
    const others = Object.fromEntries(Object.entries(rest).filter(([, { status }]) => status !== 'ok'));
    const { disk: expected = { status: 'warning' as const }, ...more } = wrong;
    expect(disk).toMatchObject(expected);
    expect(others).toEqual(
      Object.fromEntries(
        Object.entries(more).map(([topic, value]) => [topic, expect.objectContaining(value)]),
      ),
    );
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(['sessions', 'start-up', 'login shell', 'sftp', 'agent', 'room', 'clock']),
    );
  });
});
