import { describe, expect, it } from 'vitest';
import { statusOf } from '../../../server/model/outcome.ts';
import { World } from '../../support/world.ts';

const shards = (total: number, limit: number | null = null, gang = false) => ({ total, limit, gang });

describe('shards', () => {
  it('R20 makes a task that runs nothing itself, with children 0…n-1', () => {
    const world = new World();
    const group = world.submit(null, { name: 'fan', shards: shards(3) });
    expect(group.children.map((child) => world.state.task(child).spec.name)).toEqual(['0', '1', '2']);
    const started = world.startAll();
    expect(started.map((task) => task.shard)).toEqual([0, 1, 2]);
    expect(statusOf(group)).toBe('RUNNING_SUBTASKS');
    for (const task of started) world.end(task);
    expect(statusOf(group)).toBe('SUCCESS');
  });

  it('R20 lets its shards wait for the dependencies of the whole', () => {
    const world = new World();
    const run = world.run();
    const prep = world.submit(run, { name: 'prep' });
    const group = world.submit(run, { name: 'fan', shards: shards(2), afterSuccess: ['prep'] });
    world.startAll();
    expect(statusOf(group)).toBe('PENDING');
    world.end(prep, 1);
    expect(world.statuses(run)).toMatchObject({
      fan: 'FAILED_UPSTREAM',
      'fan/0': 'FAILED_UPSTREAM',
      'fan/1': 'FAILED_UPSTREAM',
    });
  });

  it('R5 runs at most K of -N n%K at once', () => {
    const world = new World();
    const group = world.submit(null, { name: 'fan', shards: shards(7, 2) });
    const seen: number[] = [];
    let running = world.startAll();
    while (running.length > 0) {
      seen.push(running.length);
      const [first, ...rest] = running;
      world.end(first!);
      running = [...rest, ...world.startAll()];
    }
    expect(Math.max(...seen)).toBe(2);
    expect(statusOf(group)).toBe('SUCCESS');
  });

  it('R21 starts all of a gang together or none', () => {
    const world = new World();
    const big = world.submit(null, { name: 'big', pool: 'cpu-8' });
    world.startAll();
    const gang = world.submit(null, { name: 'gang', pool: 'cpu-8', shards: shards(2, null, true) });
    expect(world.startAll()).toEqual([]);
    world.end(big);
    expect(world.startAll().map((task) => task.parent)).toEqual([gang.number, gang.number]);
  });

  it('R21 refuses a gang that can never fit, with the arithmetic', () => {
    const world = new World();
    expect(() => world.submit(null, { pool: 'cpu-8', shards: shards(3, null, true) })).toThrow(
      'a gang of 3 can never start in pool cpu-8: of 8 CPUs each, there fit local 2 = 2 < 3',
    );
    expect(() => world.submit(null, { pool: 'one', shards: shards(2, null, true) })).toThrow('2 > 1');
  });

  it('R21 does not let smaller tasks overtake a waiting gang for ever', () => {
    const world = new World();
    world.addPool('cpu-1', ['local'], { cpus: 1 });
    const first = Array.from({ length: 16 }, () => world.submit(null, { pool: 'cpu-1' }));
    world.startAll();
    const gang = world.submit(null, { name: 'gang', pool: 'cpu-8', shards: shards(2, null, true) });
    for (const task of first) {
      world.submit(null, { pool: 'cpu-1' });
      world.end(task);
      world.startAll();
    }
    expect(statusOf(gang)).toBe('RUNNING_SUBTASKS');
  });

  it('R26 ends a gang whose shards are all cancelled before the start', () => {
    const world = new World();
    const big = world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    const gang = world.submit(null, { pool: 'cpu-8', shards: shards(2, null, true) });
    for (const shard of gang.children) world.cancel(world.state.task(shard));
    expect(statusOf(gang)).toBe('FAILURE');
    world.end(big);
    expect(world.startAll()).toEqual([]);
  });

  it('holds a shard back alone and lets it go again', () => {
    const world = new World();
    const group = world.submit(null, { shards: shards(2, 1) });
    const second = world.state.task(group.children[1]!);
    world.commit({ type: 'held', at: 1, task: second.number });
    world.end(world.startAll()[0]!);
    expect(world.startAll()).toEqual([]);
    world.commit({ type: 'released', at: 2, task: second.number });
    expect(world.startAll()).toEqual([second]);
  });
});
