import { describe, expect, it } from 'vitest';
import { GpuUsers, type Ours, othersOn } from '../../../server/engine/gpuUsers.ts';
import type { GpuProcess, GpuUse } from '../../../server/hosts/host.ts';
import { World } from '../../support/world.ts';

const gib = 1024 ** 3;

function gpu(index: number, used: number | null, ...processes: GpuProcess[]): GpuUse {
  return { index, used: used === null ? null : used * gib, total: 80 * gib, mayShowScreen: false, processes };
}

function by(owner: GpuProcess['owner'], memory: number | null = 31): GpuProcess {
  return { memory: memory === null ? null : memory * gib, owner };
}

const bob = { kind: 'user', name: 'bob', self: false } as const;
const self = { kind: 'user', name: 'ada', self: true } as const;
const hidden = { kind: 'hidden' } as const;
const attempt = (key: string) => ({ kind: 'attempt', key }) as const;

const nothing: Ours = { holds: () => false, isHeld: () => false };
const whys = (use: GpuUse, ours = nothing) => othersOn([use], ours).get(use.index)?.why ?? null;

describe('R24 a GPU is used by somebody else', () => {
  it.each([
    ['another user', gpu(2, 32, by(bob)), 'is used by another user (bob), 31 GiB'],
    [
      'two processes of theirs',
      gpu(2, 32, by(bob, 1.5), by(bob, 0.75)),
      'is used by another user (bob), 2.3 GiB',
    ],
    [
      'a process of our own',
      gpu(0, 2, by(self, 1.5)),
      'is used by a process of ada that is no task, 1.5 GiB',
    ],
    ['one of untold size', gpu(0, null, by(bob, null)), 'is used by another user (bob)'],
    [
      'what a task has left',
      gpu(0, 12, by(attempt('3.1'), 12)),
      'is used by a task that does not hold it, 12 GiB',
    ],
    ['the larger of two', gpu(0, 40, by(self, 1), by(bob, 30)), 'is used by another user (bob), 31 GiB'],
    ['hidden processes', gpu(0, 12), 'is used by processes that its driver does not show, 12 GiB'],
    [
      'a number that means nothing here',
      gpu(0, 12, by(hidden, 11)),
      expect.stringContaining('does not show, 12 GiB'),
    ],
  ])('where there is %s', (_, use, why) => {
    expect(whys(use)).toEqual(why);
  });

  it.each([
    ['nobody', gpu(0, 0)],
    ['what every driver takes', gpu(0, 7)],
    ['nothing told', gpu(0, null)],
    ['a process that is gone', gpu(0, 1, by(hidden, 1))],
    ['a screen', { ...gpu(0, 30), mayShowScreen: true }],
  ])('but not where there is %s', (_, use) => {
    expect(whys(use)).toBeNull();
  });

  it('but not where it is the task that holds it', () => {
    const ours = { holds: (key: string) => key === '3.1', isHeld: (index: number) => index === 1 };
    expect(whys(gpu(1, 70, by(attempt('3.1'), 70)), ours)).toBeNull();
    // What cannot be seen may be the task's own.
    expect(whys(gpu(1, 70), ours)).toBeNull();
    expect(whys(gpu(1, 70, by(attempt('3.1')), by(bob)), ours)).toContain('bob');
  });
});

describe('from look to look', () => {
  const used = gpu(0, 70, by(attempt('1.1'), 70));

  function withTask() {
    const world = new World();
    const task = world.submit(null, { pool: 'gpu-1' });
    world.startAll();
    return { world, task, users: new GpuUsers() };
  }

  it('R24 a task that ended since the last one may still have been seen, what is seen later was left behind', () => {
    const { world, task, users } = withTask();
    expect(users.on('local')).toBeNull();
    expect(users.note('local', [used], world.state, world.now)).toBe(true);
    expect(users.on('local')).toEqual(new Map());
    world.end(task);
    expect(users.note('local', [used], world.state, ++world.now)).toBe(false);
    expect(users.note('local', [used], world.state, ++world.now)).toBe(true);
    expect(users.on('local')?.get(0)?.why).toContain('does not hold it');
    expect(users.note('local', [gpu(0, 0)], world.state, ++world.now)).toBe(true);
    expect(users.on('local')).toEqual(new Map());
  });

  it('R24 memory in use says nothing about others just after a task held the GPU', () => {
    const { world, task, users } = withTask();
    users.note('local', [gpu(0, 70), gpu(1, 70)], world.state, world.now);
    expect([...(users.on('local')?.keys() ?? [])]).toEqual([1]);
    world.end(task);
    users.note('local', [gpu(0, 70)], world.state, ++world.now);
    expect(users.on('local')).toEqual(new Map());
    users.note('local', [gpu(0, 70)], world.state, ++world.now);
    expect([...(users.on('local')?.keys() ?? [])]).toEqual([0]);
  });

  it('an attempt of another GPU, or of another host, is none that holds it', () => {
    const { world, users } = withTask();
    users.note('local', [gpu(3, 70, by(attempt('1.1')))], world.state, world.now);
    users.note('far', [used], world.state, world.now);
    expect([users.on('local')?.size, users.on('far')?.size]).toEqual([1, 1]);
  });

  it('says that something is new only where a person would see it', () => {
    const { world, users } = withTask();
    users.note('local', [gpu(2, 31, by(bob, 31.001))], world.state, world.now);
    expect(users.note('local', [gpu(2, 31, by(bob, 31.002))], world.state, ++world.now)).toBe(false);
    expect(users.note('local', [gpu(2, 33, by(bob, 33))], world.state, ++world.now)).toBe(true);
  });
});
