import { describe, expect, it } from 'vitest';
import { explain, reasonOf } from '../../../server/model/explain.ts';
import { statusOf } from '../../../server/model/outcome.ts';
import { World } from '../../support/world.ts';

describe('submitting', () => {
  it('R4 makes nothing new for a key that was used', () => {
    const world = new World();
    const first = world.submit(null, { key: 'k' });
    expect(world.submit(null, { name: 'other', key: 'k' })).toBe(first);
    expect(world.state.tasks.size).toBe(1);
  });

  it('takes no children for a task that is done, cancelled, or in another attempt', () => {
    const world = new World();
    const done = world.run();
    world.end(done);
    expect(() => world.submit(done)).toThrow('is done and takes no more sub-tasks');
    const cancelled = world.run();
    world.cancel(cancelled);
    expect(() => world.submit(cancelled)).toThrow('is cancelled and takes no more sub-tasks');
  });
});

describe('ending early', () => {
  it('R26 cancels what has not started at once, stops what runs, and ends CANCELLED', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'runs' });
    world.startAll();
    world.submit(run, { name: 'waits', afterSuccess: ['runs'] });
    world.submit(run, { name: 'queued' });
    world.cancel(run);
    expect(world.statuses(run)).toEqual({
      '': 'RUNNING',
      runs: 'RUNNING',
      waits: 'CANCELLED',
      queued: 'CANCELLED',
    });
    expect(world.effects.filter((effect) => effect.type === 'stop')).toHaveLength(2);
    world.end(world.task(`${run.id}/runs`), 143, 'TERM');
    world.end(run, 0);
    expect(world.statuses(run)).toMatchObject({ '': 'CANCELLED', runs: 'CANCELLED' });
  });

  it('R26 stops an attempt once, however often it is cancelled, and never retries it', () => {
    const world = new World();
    const task = world.submit(null, { retries: 3 });
    world.startAll();
    world.cancel(task);
    world.cancel(task);
    expect(world.effects.filter((effect) => effect.type === 'stop')).toHaveLength(1);
    world.end(task, 143, 'TERM');
    expect(statusOf(task)).toBe('CANCELLED');
  });

  it('R27 ends FAILURE with the reason `time limit`, even if the command then ends well', () => {
    const world = new World();
    const task = world.submit(null, { timeLimit: 1 });
    world.startAll();
    world.commit({ type: 'timedOut', at: 1, task: task.number, attempt: 1 });
    expect(world.effects.at(-1)).toEqual({ type: 'stop', task: task.number, attempt: 1 });
    world.end(task, 0);
    expect(task.phase).toMatchObject({ outcome: 'failure', reason: 'time limit' });
  });

  it('R28 follows failed attempts by N more', () => {
    const world = new World();
    const task = world.submit(null, { retries: 2 });
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(world.startAll()).toEqual([task]);
      world.end(task, 9);
    }
    expect(task.attempts.map((attempt) => attempt.exit?.exitCode)).toEqual([9, 9, 9]);
    expect(statusOf(task)).toBe('FAILURE');
  });

  it('R32 follows a lost attempt by another, and fails with the reason after the third', () => {
    const world = new World();
    const task = world.submit(null);
    for (let attempt = 1; attempt <= 3; attempt++) {
      world.startAll();
      world.lose(task);
    }
    expect(task.phase).toMatchObject({ outcome: 'failure', reason: expect.stringContaining('lost 3 times') });
  });

  it('R32 R36 starts nothing again by itself that was lost with its terminal', () => {
    const world = new World();
    const terminal = { term: 'xterm', rows: 24, columns: 80 };
    const task = world.submit(null, { stdin: 'terminal', terminal });
    world.startAll();
    world.lose(task);
    expect(task.phase).toMatchObject({
      outcome: 'failure',
      reason: expect.stringContaining('with its terminal'),
    });
    expect(task.own?.exitCode).toBe(137);
    world.commit({ type: 'retried', at: 2, task: task.number });
    expect(world.startAll()).toEqual([task]);
  });

  it('R32 ignores reports of an attempt that is over', () => {
    const world = new World();
    const task = world.submit(null, { retries: 1 });
    world.startAll();
    world.end(task, 1);
    world.startAll();
    world.commit({
      type: 'ended',
      at: 1,
      task: task.number,
      attempt: 1,
      exit: { exitCode: 0, signal: null, reason: null },
    });
    expect(statusOf(task)).toBe('RUNNING');
  });
});

describe('retry', () => {
  it('R29 gives failed leaves a new attempt, lets what gave up wait again, and keeps successes', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'good' });
    world.submit(run, { name: 'bad' });
    world.submit(run, { name: 'next', afterSuccess: ['bad'] });
    world.submit(run, { name: 'last', afterSuccess: ['next', 'good'] });
    const [good, bad] = world.startAll();
    world.end(good!);
    world.end(bad!, 1);
    world.end(run);
    expect(world.statuses(run)).toEqual({
      '': 'FAILURE',
      good: 'SUCCESS',
      bad: 'FAILURE',
      next: 'FAILED_UPSTREAM',
      last: 'FAILED_UPSTREAM',
    });
    world.retry(run);
    expect(world.statuses(run)).toEqual({
      '': 'RUNNING_SUBTASKS',
      good: 'SUCCESS',
      bad: 'QUEUED',
      next: 'PENDING',
      last: 'PENDING',
    });
    for (let i = 0; i < 3; i++) for (const task of world.startAll()) world.end(task);
    expect(world.statuses(run)).toEqual({
      '': 'SUCCESS',
      good: 'SUCCESS',
      bad: 'SUCCESS',
      next: 'SUCCESS',
      last: 'SUCCESS',
    });
    expect(good?.attempts).toHaveLength(1);
  });

  it('R29 reopens the ancestors, and what depended on them anywhere', () => {
    const world = new World();
    const run = world.run('first');
    const follower = world.submit(null, { name: 'second', afterSuccess: ['first'] });
    const child = world.submit(run, { name: 'child' });
    world.startAll();
    world.end(child, 1);
    world.end(run);
    expect(statusOf(follower)).toBe('FAILED_UPSTREAM');
    world.retry(child);
    expect([statusOf(run), statusOf(child), statusOf(follower)]).toEqual([
      'RUNNING_SUBTASKS',
      'QUEUED',
      'PENDING',
    ]);
    world.end(world.startAll()[0]!);
    expect([statusOf(run), statusOf(follower)]).toEqual(['SUCCESS', 'QUEUED']);
  });

  it('R29 runs a script again, and not the children it submits again that had succeeded', () => {
    const world = new World();
    const run = world.run('script');
    const good = world.submit(run, { name: 'part', command: ['work', '1'] });
    const bad = world.submit(run, { name: 'part', command: ['work', '2'] });
    const dropped = world.submit(run, { name: 'dropped', command: ['x'] });
    world.startAll();
    world.end(good);
    world.end(bad, 1);
    world.end(dropped, 1);
    world.end(run, 1);
    world.retry(run);
    expect(world.startAll()).toEqual([run]);
    expect(world.submit(run, { name: 'part', command: ['work', '1'] })).toBe(good);
    expect(world.submit(run, { name: 'part', command: ['work', '2'] })).toBe(bad);
    const changed = world.submit(run, { name: 'part', command: ['work', '3'] });
    expect(changed.segment).toBe('part_3');
    const next = world.submit(run, { name: 'next', afterSuccess: ['part'] });
    expect(next.dependencies[0]?.upstream).toEqual([good.number, bad.number, changed.number]);
    expect(world.startAll()).toEqual([bad, changed]);
    world.end(bad);
    world.end(changed);
    for (const task of world.startAll()) world.end(task);
    world.end(run);
    expect([statusOf(run), good.attempts.length, bad.attempts.length]).toEqual(['SUCCESS', 1, 2]);
  });

  it('R29 opens a group of shards that never started, as a whole', () => {
    const world = new World();
    const run = world.run();
    const prep = world.submit(run, { name: 'prep' });
    const group = world.submit(run, {
      name: 'fan',
      shards: { total: 2, limit: 1, gang: false },
      afterSuccess: ['prep'],
    });
    world.startAll();
    world.end(prep, 1);
    world.end(run);
    world.retry(run);
    world.end(world.startAll()[0]!);
    for (let i = 0; i < 2; i++) {
      const started = world.startAll();
      expect(started).toHaveLength(1);
      world.end(started[0]!);
    }
    expect([statusOf(group), statusOf(run)]).toEqual(['SUCCESS', 'SUCCESS']);
  });
});

describe('explaining', () => {
  const reason = (world: World, id: string) => reasonOf(world.state, world.room, world.task(id));

  it('R19 says which dependency is waited for', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'a' });
    expect(reason(world, world.submit(run, { name: 'b', afterSuccess: ['a'] }).id)).toBe(
      'waits for a to succeed',
    );
    expect(reason(world, world.submit(run, { name: 'c', after: ['zzz'] }).id)).toBe(
      'waits for a task named "zzz", which nobody has submitted yet',
    );
  });

  it('R19 says which pool is full and with what, and which host lacks what', () => {
    const world = new World();
    world.submit(null, { name: 'busy', pool: 'one' });
    world.submit(null, { name: 'large', pool: 'cpu-16' });
    world.startAll();
    expect(reason(world, world.submit(null, { pool: 'one' }).id)).toBe(
      'waits: pool one is full, 1 of 1 slots are taken (by busy)',
    );
    const second = world.submit(null, { pool: 'cpu-8' });
    expect(reason(world, second.id)).toBe(
      'waits: on local 0 of 16 CPUs are free and it needs 8 (held by large)',
    );
    const third = world.submit(null, { pool: 'cpu-8' });
    expect(explain(world.state, world.room, third)).toContain('1 task is ahead of it in pool cpu-8');
  });

  it('R19 says that a task is held, blocked in vrun, or on a host out of reach', () => {
    const world = new World();
    expect(reason(world, world.submit(null, { held: true }).id)).toMatch(/^is held/);
    const run = world.run();
    world.submit(run, { name: 'step', awaited: true });
    expect(reason(world, run.id)).toBe('is blocked in vrun until step is done');
    world.addHost('local', 16, 64, 4, false);
    expect(reason(world, run.id)).toBe('host local is not reachable (no route); its command goes on there');
    expect(reason(world, world.submit(null).id)).toBe('waits: host local is not reachable (no route)');
  });
});
