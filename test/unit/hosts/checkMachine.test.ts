import { describe, expect, it } from 'vitest';
import {
  keepProcesses,
  logoutByConfiguration,
  machineFindings,
  roomFinding,
  sleeperOf,
} from '../../../server/hosts/checkMachine.ts';
import { Told } from '../../../server/hosts/told.ts';

/** What a good machine tells, line by line; a test replaces some. */
const good: Record<string, string> = {
  shell: '/bin/bash',
  sh: '/usr/bin/dash',
  bash: '/usr/bin/bash 5.2.15(1)-release',
  detach: 'bash',
  folder: '/home/me/.vbatch/x',
  disk: '1000000000 500000000',
  inodes: '1000 900',
  scripts: '1 0',
  processes: '4096 17',
  user: 'me',
};

function told(change: Record<string, string | null> = {}): Told {
  const lines = Object.entries({ ...good, ...change }).filter(([, text]) => text !== null);
  return new Told(lines.map(([name, text]) => `${name} ${text}`).join('\n'));
}

const findings = (change: Record<string, string | null> = {}) =>
  Object.fromEntries(machineFindings(told(change)).map((finding) => [finding.topic, finding]));

it('finds nothing wrong with a good machine', () => {
  expect(Object.values(findings()).map(({ status }) => status)).toEqual(Array(5).fill('ok'));
  expect(findings()).toMatchObject({
    agent: { text: 'runs under /usr/bin/bash 5.2.15(1)-release, and starts tasks by bash itself' },
    disk: { text: '476.8G of 953.7G are free for /home/me/.vbatch/x' },
    inodes: { text: '90 % of the inodes are free for /home/me/.vbatch/x' },
    processes: { text: 'the user may have 4096 processes, and has 17' },
  });
});

it.each([
  ['disk', { disk: '1000000000 1000000' }, 'warning'],
  ['disk', { disk: '1000000000 49000000' }, 'warning'],
  ['inodes', { inodes: '1000 49' }, 'warning'],
  ['processes', { processes: '300 150' }, 'warning'],
  ['processes', { processes: 'unlimited 150' }, 'ok'],
  ['agent', { detach: 'none', bash: null }, 'failure'],
  ['agent', { detach: 'setsid -f', bash: null }, 'ok'],
  ['programs', { missing: 'mkfifo' }, 'failure'],
  ['folder', { trouble: 'mkdir: Read-only file system' }, 'failure'],
  ['scripts', { scripts: '0 2' }, 'ok'],
])('%s after %j: %s', (topic, change, status) => {
  expect(findings(change)[topic]?.status).toBe(status);
});

it('says nothing of inodes where none are counted', () => {
  expect(findings({ inodes: '0 0' })).not.toHaveProperty('inodes');
  expect(findings({ inodes: null })).not.toHaveProperty('inodes');
});

describe('what becomes of processes after a logout', () => {
  it.each([
    [{ kills: 'yes', excluded: '' }, true],
    [{ kills: 'true', excluded: 'root' }, true],
    [{ kills: 'yes', excluded: 'root me' }, false],
    [{ kills: 'yes', excluded: '', user: 'root' }, false],
    [{ kills: 'no', excluded: '' }, false],
    [{ kills: '', excluded: '' }, false],
  ])('by %j: killed %j', (change, kills) => {
    expect(logoutByConfiguration(told(change))?.kills).toBe(kills);
  });

  it('is not known without logind', () => {
    expect(logoutByConfiguration(told())).toBeNull();
    expect(keepProcesses(told())).toContain('KillExcludeUsers=root me');
  });
});

it.each([
  [{ sleeper: '4711' }, 4711],
  [{ sleeper: '' }, null],
  [{ sleeper: '-1' }, null],
  [{}, null],
])('takes only a process for the one that was left behind: %j', (change, pid) => {
  expect(sleeperOf(told(change))).toBe(pid);
});

it('compares what is found with what is configured', () => {
  const gpus = [
    { name: 'NVIDIA A100', memory: 1 },
    { name: 'NVIDIA A100', memory: 1 },
  ];
  const facts = { cpus: 8, memory: 32 * 1024 ** 3, gpus } as Parameters<typeof roomFinding>[0];
  expect(roomFinding(facts, {})).toMatchObject({
    status: 'ok',
    text: '8 CPUs, 32G of memory, 2 GPUs (NVIDIA A100)',
  });
  expect(roomFinding(facts, { cpus: 4, gpus: 1 }).status).toBe('ok');
  expect(roomFinding(facts, { memory: 64 * 1024 ** 3 })).toMatchObject({
    status: 'warning',
    text: expect.stringContaining('the configuration says memory: 64G'),
  });
});
