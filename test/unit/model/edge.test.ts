/** Combinations of retry, claim, cancel, hold, shards, gangs and prune that are easy to get wrong. */
import { describe, expect, it } from 'vitest';
import { retryDecision } from '../../../server/engine/actions.ts';
import { verdictOf } from '../../../server/model/dependencies.ts';
import { reasonOf } from '../../../server/model/explain.ts';
import { statusOf } from '../../../server/model/outcome.ts';
import { place } from '../../../server/model/placement.ts';
import type { Task } from '../../../server/model/task.ts';
import { restored } from '../../support/indexes.ts';
import { World } from '../../support/world.ts';

const gang = (total: number) => ({ total, limit: null, gang: true });
const shards = (total: number, limit: number | null = null) => ({ total, limit, gang: false });

/** A run whose script failed and runs again, with what its first attempt submitted already done. */
function secondAttempt(world: World, first: (run: Task) => void): Task {
  const run = world.run();
  first(run);
  for (const task of world.startAll()) world.end(task, 1);
  world.end(run, 1);
  world.retry(run);
  world.startAll();
  return run;
}

describe('a script that runs again', () => {
  it('R14 R29 fails when one child fails, though another that had failed was mended', () => {
    const world = new World();
    const run = secondAttempt(world, (script) => {
      world.submit(script, { name: 'a' });
      world.submit(script, { name: 'b' });
    });
    const [a, b] = [world.submit(run, { name: 'a' }), world.submit(run, { name: 'b' })];
    world.startAll();
    world.end(a);
    world.end(b, 1);
    world.end(run);
    expect(statusOf(run)).toBe('FAILURE');
    expect(run.tally.failed).toBe(1);
  });

  it('R23 lends nothing on account of a vrun of the attempt before', () => {
    const world = new World();
    const script = world.submit(null, { pool: 'cpu-16', retries: 1 });
    world.startAll();
    const call = world.submit(script, { name: 'call', awaited: true });
    world.startAll();
    expect(script.tally.awaited).toBe(1);
    world.end(script, 1);
    world.startAll();
    expect([statusOf(script), statusOf(call), script.tally.awaited]).toEqual(['RUNNING', 'RUNNING', 0]);
    world.submit(script, { name: 'other', pool: 'cpu-8' });
    expect(world.startAll()).toEqual([]);
    world.end(call);
    expect(script.tally.awaited).toBe(0);
  });

  it('R29 leaves a child that is still under way as it was submitted, also in its pool', () => {
    const world = new World();
    const run = world.run('run', { retries: 1 });
    const child = world.submit(run, { name: 'child', pool: 'one' });
    world.startAll();
    world.end(run, 1);
    world.startAll();
    expect(world.submit(run, { name: 'child', pool: 'cpu-8' })).toBe(child);
    expect(child.spec.pool).toBe('one');
    world.end(child);
    expect(world.state.occupants.get('one')?.size).toBe(0);
  });

  it('R29 gives the shards of a group that it submits again the new settings', () => {
    const world = new World();
    const run = secondAttempt(world, (script) => {
      world.submit(script, { name: 'fan', shards: shards(2) });
    });
    const fan = world.submit(run, { name: 'fan', shards: shards(2), pool: 'one' });
    expect(fan.children.map((child) => world.state.task(child).spec.pool)).toEqual(['one', 'one']);
    expect(world.startAll()).toHaveLength(1);
  });

  it('R11 R29 binds no name that the first attempt awaited to a child of another name', () => {
    const world = new World();
    const run = secondAttempt(world, (script) => {
      world.submit(script, { name: 'waiting', afterSuccess: ['gone/x'] });
    });
    const waiting = world.submit(run, { name: 'waiting', afterSuccess: ['other'] });
    world.submit(run, { name: 'gone' });
    expect(waiting.dependencies[0]?.awaits).toEqual({ parent: run.number, name: 'other' });
    const other = world.submit(run, { name: 'other' });
    expect(waiting.dependencies[0]?.upstream).toEqual([other.number]);
  });

  it('R12 R29 refuses a cycle through dependencies that only a retry would bring back', () => {
    const world = new World();
    const run = world.run('run', { retries: 1 });
    world.submit(run, { name: 'a', afterSuccess: ['c'] });
    const b = world.submit(run, { name: 'b', after: ['a'] });
    world.cancel(b);
    expect(() => world.submit(run, { name: 'c', after: ['b'] })).toThrow('c → b → a → c');
  });

  it('R29 is not influenced by a submission that was only tried', () => {
    const world = new World();
    const run = secondAttempt(world, (script) => {
      world.submit(script, { name: 'part', command: ['work', '1'] });
    });
    world.decide(run, { name: 'part', command: ['other'] });
    const again = world.decide(run, { name: 'part', command: ['work', '1'] });
    expect(again).toMatchObject({ kind: 'accepted', event: { type: 'claimed' } });
  });

  it('R29 does not run again what an earlier attempt had submitted and the last one had not', () => {
    const world = new World();
    const run = secondAttempt(world, (script) => {
      world.submit(script, { name: 'dropped' });
    });
    const kept = world.submit(run, { name: 'kept' });
    world.startAll();
    world.end(kept, 1);
    world.end(run);
    world.retry(run);
    expect(world.statuses(run)).toEqual({ '': 'RUNNING_SUBTASKS', dropped: 'FAILURE', kept: 'QUEUED' });
  });

  it('R13 R15 ends only after a child that was retried by itself, if its own turn does not come any more', () => {
    const world = new World();
    const run = world.run();
    const up = world.submit(run, { name: 'up' });
    world.startAll();
    const flaky = world.submit(up, { name: 'flaky', allowFailure: true });
    const script = world.submit(run, { name: 'script', afterSuccess: ['up'] });
    world.startAll();
    world.end(flaky, 1);
    world.end(up);
    world.startAll();
    const child = world.submit(script, { name: 'child' });
    world.startAll();
    world.end(child, 1);
    world.end(script, 1);
    world.retry(flaky);
    world.retry(script);
    world.retry(child);
    world.startAll();
    world.cancel(up);
    world.end(flaky, 143, 'TERM');
    expect([statusOf(up), statusOf(script), statusOf(child)]).toEqual([
      'CANCELLED',
      'RUNNING_SUBTASKS',
      'RUNNING',
    ]);
    world.end(child);
    expect(script.phase).toMatchObject({ kind: 'done', outcome: 'failure', reason: 'up was cancelled' });
    expect(world.state.holdings.get('local')?.tasks.has(child.number)).toBe(false);
  });
});

describe('retry', () => {
  it('R5 R29 lets no more shards go at once than before', () => {
    const world = new World();
    const fan = world.submit(null, { shards: shards(4, 1) });
    for (let i = 0; i < 4; i++) for (const task of world.startAll()) world.end(task, 1);
    world.retry(fan);
    for (let i = 0; i < 4; i++) {
      const started = world.startAll();
      expect(started).toHaveLength(1);
      for (const task of started) world.end(task);
    }
    expect(statusOf(fan)).toBe('SUCCESS');
  });

  it('R29 of one shard lets its group wait again for what it never had', () => {
    const world = new World();
    const run = world.run();
    const prep = world.submit(run, { name: 'prep' });
    const fan = world.submit(run, { name: 'fan', shards: shards(2), afterSuccess: ['prep'] });
    world.startAll();
    world.end(prep, 1);
    const [first] = fan.children.map((child) => world.state.task(child));
    world.retry(first as Task);
    expect([statusOf(fan), statusOf(first as Task)]).toEqual(['FAILED_UPSTREAM', 'FAILED_UPSTREAM']);
    world.retry(prep);
    expect(statusOf(fan)).toBe('PENDING');
    world.end(world.startAll()[0] as Task);
    for (const task of world.startAll()) world.end(task);
    expect(statusOf(fan)).toBe('SUCCESS');
  });

  it('R21 R29 of a shard lets it join its gang while that waits for room', () => {
    const world = new World();
    const big = world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    const group = world.submit(null, { pool: 'cpu-8', shards: gang(2) });
    const shard = world.state.task(group.children[0] as number);
    world.cancel(shard);
    world.retry(shard);
    expect(statusOf(shard)).toBe('QUEUED');
    world.end(big);
    expect(world.startAll()).toHaveLength(2);
  });

  it('R21 R31 of a shard that missed the start of its gang starts all of it, also after a restart of the server', () => {
    const world = new World();
    const big = world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    const group = world.submit(null, { pool: 'cpu-8', shards: gang(2) });
    const [late, other] = group.children.map((child) => world.state.task(child)) as [Task, Task];
    world.cancel(late);
    world.end(big);
    expect(world.startAll()).toEqual([other]);
    world.end(other);
    world.retry(late);
    expect(place(restored(world.state), world.room).map(({ task }) => task)).toEqual(group.children);
  });

  it('R26 R29 waits until the cancelling of what is above has come to its end', () => {
    const world = new World();
    const run = world.run();
    const child = world.submit(run, { name: 'child' });
    world.cancel(run);
    expect(retryDecision(child, 1, world.state)).toMatchObject({
      event: null,
      message: `${run.id} is being cancelled; retry ${child.id} when that is done`,
    });
    world.end(run, 143, 'TERM');
    expect(retryDecision(child, 1, world.state).event).not.toBeNull();
  });

  it('R29 lets what gave up on a child that was never submitted wait again', () => {
    const world = new World();
    const run = world.run();
    const script = world.submit(run, { name: 'script' });
    const next = world.submit(run, { name: 'next', afterSuccess: ['script/part'] });
    world.startAll();
    world.end(script, 1);
    expect(statusOf(next)).toBe('FAILED_UPSTREAM');
    world.retry(script);
    world.startAll();
    expect(statusOf(next)).toBe('PENDING');
    const part = world.submit(script, { name: 'part' });
    world.startAll();
    world.end(part);
    expect(statusOf(next)).toBe('QUEUED');
  });
});

describe('gangs and groups', () => {
  it('R26 ends a gang all of whose shards were cancelled before its turn came', () => {
    const world = new World();
    const run = world.run();
    const prep = world.submit(run, { name: 'prep' });
    const group = world.submit(run, { name: 'gang', shards: gang(2), afterSuccess: ['prep'] });
    world.startAll();
    for (const shard of group.children) world.cancel(world.state.task(shard));
    world.end(prep);
    expect(statusOf(group)).toBe('FAILURE');
  });

  it('R11 knows at once that a group has no other children than its shards', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'fan', shards: shards(2), held: true });
    const wrong = world.submit(run, { name: 'wrong', after: ['fan/7'] });
    expect(wrong.phase).toMatchObject({
      outcome: 'failedUpstream',
      reason: expect.stringContaining('no task "fan/7" in "fan"'),
    });
  });

  it('R11 R26 gives up on the names of a script that is cancelled between two attempts', () => {
    const world = new World();
    const run = world.run();
    const script = world.submit(run, { name: 'script', retries: 1, pool: 'one' });
    const next = world.submit(run, { name: 'next', after: ['script/part'] });
    world.startAll();
    world.submit(script, { name: 'child' });
    world.startAll();
    world.end(script, 1);
    world.cancel(script);
    expect([statusOf(script), statusOf(next)]).toEqual(['RUNNING_SUBTASKS', 'FAILED_UPSTREAM']);
  });
});

describe('waiting for itself', () => {
  it.each([
    ['a child of its own', 'b', 'b/a', 'b → b/a'],
    ['the segment that it gets', 'a', 'a_2', 'a → a_2'],
  ])('R12 is refused: %s', (_, name, upstream, path) => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'a' });
    expect(() => world.submit(run, { name, after: [upstream] })).toThrow(path);
  });

  it('R12 is refused by way of a child that a sibling would submit', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'y', after: ['x'] });
    expect(() => world.submit(run, { name: 'x', after: ['y/z'] })).toThrow('x → y → x');
  });
});

describe('pruned runs', () => {
  const pruned = (world: World, ...runs: Task[]) => {
    world.commit({ type: 'pruned', at: ++world.now, runs: runs.map((run) => run.number) });
  };

  it('leave what waited for their end or for their children readable, and able to run again', () => {
    const world = new World();
    const first = world.run('first');
    const second = world.submit(null, { name: 'second', afterSuccess: ['first'] });
    const third = world.submit(null, { name: 'third', afterSuccess: ['first/never'] });
    world.end(first, 1);
    expect([statusOf(second), statusOf(third)]).toEqual(['FAILED_UPSTREAM', 'FAILED_UPSTREAM']);
    pruned(world, first);
    expect(second.dependencies.map((dependency) => verdictOf(world.state, dependency))).toEqual(['met']);
    expect(third.dependencies.map((dependency) => verdictOf(world.state, dependency))).toEqual(['failed']);
    for (const run of [second, third]) world.retry(run);
    expect([statusOf(second), statusOf(third)]).toEqual(['QUEUED', 'FAILED_UPSTREAM']);
    expect(statusOf(restored(world.state).task(second.number))).toBe('QUEUED');
  });

  it('are not looked for when a name is taken that they waited for', () => {
    const world = new World();
    const first = world.run('first');
    const second = world.submit(null, { name: 'second', afterSuccess: ['first/part'] });
    world.cancel(second);
    pruned(world, second);
    expect(world.submit(first, { name: 'part' }).dependents).toEqual([]);
  });
});

describe('room', () => {
  it('R6 lets a run start while another one of its pool, with a shape of its own, waits for room', () => {
    const world = new World();
    world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    world.submit(null, { name: 'large', shape: { cpus: 8 } });
    const plain = world.submit(null, { name: 'plain' });
    expect(world.startAll()).toEqual([plain]);
  });

  it('R6 R23 starts what claims nothing on a host that is overbooked', () => {
    const world = new World();
    const scripts = [world.submit(null, { pool: 'cpu-8' }), world.submit(null, { pool: 'cpu-8' })];
    world.startAll();
    for (const pool of ['cpu-16', 'cpu-16']) {
      const parent = scripts[0] as Task;
      scripts.unshift(world.submit(parent, { name: 'call', pool, awaited: true }));
      world.submit(scripts.at(-1) as Task, { name: 'call', awaited: true });
      world.startAll();
    }
    const plain = world.submit(null, { name: 'plain' });
    expect(world.startAll()).toContain(plain);
  });

  it('R21 R23 lets a gang in vrun have the room of all that are blocked', () => {
    const world = new World();
    const scripts = [world.submit(null, { pool: 'cpu-8' }), world.submit(null, { pool: 'cpu-8' })];
    world.startAll();
    const calls = scripts.map((script) =>
      world.submit(script, { pool: 'cpu-8', shards: gang(2), awaited: true }),
    );
    expect(world.startAll().map((task) => task.parent)).toEqual([calls[0]?.number, calls[0]?.number]);
  });

  it('R21 R23 lets what a blocked script calls run, though a gang first tried for the room', () => {
    const world = new World();
    world.addPool('cpu-4', ['local'], { cpus: 4 });
    const scripts = [world.submit(null, { pool: 'cpu-4' }), world.submit(null, { pool: 'cpu-4' })];
    world.startAll();
    world.submit(null, { name: 'gang', pool: 'cpu-8', shards: gang(2) });
    const calls = scripts.map((script) => world.submit(script, { pool: 'cpu-16', awaited: true }));
    expect(world.startAll()).toEqual([calls[0]]);
  });

  it('R21 lets no task of another script overtake a gang that waits for slots', () => {
    const world = new World();
    world.addPool('two', ['local'], {}, 2);
    const first = [world.submit(null, { pool: 'two' }), world.submit(null, { pool: 'two' })] as const;
    const script = world.run();
    const group = world.submit(null, { pool: 'two', shards: gang(2) });
    const single = world.submit(script, { pool: 'two' });
    world.end(first[0]);
    expect(world.startAll()).toEqual([]);
    world.end(first[1]);
    expect(world.startAll().map((task) => task.parent)).toEqual([group.number, group.number]);
    expect(statusOf(single)).toBe('QUEUED');
  });
});

describe('R19 sentences', () => {
  const reason = (world: World, task: Task) => reasonOf(world.state, world.room, task);

  it('name a few of many, and only those who hold what is missing', () => {
    const world = new World();
    world.addPool('cpu-4', ['local'], { cpus: 4 });
    world.run('plain');
    for (const name of ['a', 'b', 'c', 'd']) world.submit(null, { name, pool: 'cpu-4' });
    world.startAll();
    expect(reason(world, world.submit(null, { pool: 'cpu-8' }))).toBe(
      'waits: on local 0 of 16 CPUs are free and it needs 8 (held by a, b, c and others)',
    );
  });

  it('say in which state a host has left its tasks', () => {
    const world = new World();
    const [running, starting] = [world.run('running'), world.submit(null, { name: 'starting' })];
    world.placeAll();
    world.addHost('local', 16, 64, 4, false);
    expect(reason(world, running)).toBe('host local is not reachable (no route); its command goes on there');
    expect(reason(world, starting)).toBe(
      'host local is not reachable (no route); whether it started there is not known yet',
    );
    world.hosts.delete('local');
    expect(reason(world, running)).toBe('host local, where it was started, is not configured any more');
  });

  it('say which sub-tasks are left', () => {
    const world = new World();
    const run = world.run();
    for (const name of ['a', 'b']) world.submit(run, { name });
    world.end(run);
    expect(reason(world, run)).toBe('waits for 2 of 2 sub-tasks (a, b)');
  });

  it('say how to let a held task go', () => {
    const world = new World();
    const task = world.submit(null, { held: true });
    expect(reason(world, task)).toBe(`is held: \`vctl task release ${task.id}\` lets it go`);
  });
});
