import { describe, expect, it } from 'vitest';
import { holdDecision } from '../../../server/engine/actions.ts';
import { explain, reasonOf } from '../../../server/model/explain.ts';
import { statusOf } from '../../../server/model/outcome.ts';
import type { Task } from '../../../server/model/task.ts';
import { indexesOf, restored } from '../../support/indexes.ts';
import { World } from '../../support/world.ts';

const gang = (total: number) => ({ total, limit: null, gang: true });

/** Two hosts of 8 CPUs, and a gang of four that needs both. */
function withGang(retries = 0): { world: World; group: Task; shards: Task[] } {
  const world = new World();
  world.addHost('h0', 8, 64, 0);
  world.addHost('h1', 8, 64, 0);
  world.addPool('wide', ['h0', 'h1'], { cpus: 4 });
  const group = world.submit(null, { name: 'gang', pool: 'wide', shards: gang(4), retries });
  return { world, group, shards: group.children.map((number) => world.state.task(number)) };
}

function statuses(tasks: readonly Task[]): string[] {
  return tasks.map(statusOf);
}

function stopsIn(world: World): number[] {
  return world.effects.splice(0).flatMap((effect) => (effect.type === 'stop' ? effect.task : []));
}

describe('a gang over several hosts', () => {
  it('R21 starts all at once or not at all', () => {
    const { world, group, shards } = withGang();
    const hosts = () => shards.map((shard) => shard.attempts.at(-1)?.allocation.host);
    world.addHost('h1', 8, 64, 0, false);
    expect(world.startAll()).toEqual([]);
    world.addHost('h1', 8, 64, 0);
    expect(world.startAll()).toEqual(shards);
    expect(hosts()).toEqual(['h0', 'h1', 'h0', 'h1']);
    expect(statusOf(group)).toBe('RUNNING_SUBTASKS');
  });

  it('R21 R25 keeps room on all of them, and on none while it cannot start at all', () => {
    const { world, group } = withGang();
    world.addHost('h1', 8, 64, 0, false);
    world.addPool('small', ['h0', 'h1'], { cpus: 2 });
    const small = world.submit(null, { pool: 'small' });
    expect(world.startAll()).toEqual([small]);
    world.addHost('h1', 8, 64, 0);
    world.submit(null, { pool: 'small' });
    expect(world.startAll()).toEqual([]);
    world.end(small);
    expect(world.startAll()).toHaveLength(4);
    expect(statusOf(group)).toBe('RUNNING_SUBTASKS');
  });

  it('R19 R21 says that it waits for all, also of each shard', () => {
    const { world, group, shards } = withGang();
    world.submit(null, { name: 'other', pool: 'wide', priority: -1 });
    world.startAll();
    expect(reasonOf(world.state, world.room, group)).toBe(
      'waits for room for all 4 of its gang at once in pool wide',
    );
    expect(reasonOf(world.state, world.room, shards[2]!)).toBe(
      'waits with gang for room for all 4 of its gang at once',
    );
  });
});

describe('a gang that is tried again', () => {
  it('R21 R28 starts again as a whole when nothing of it is left', () => {
    const { world, group, shards } = withGang(1);
    const [a, b, c, d] = shards as [Task, Task, Task, Task];
    world.startAll();
    world.end(a);
    world.end(b, 1);
    expect(stopsIn(world)).toEqual([c.number, d.number]);
    expect(statuses(shards)).toEqual(['SUCCESS', 'PENDING', 'RUNNING', 'RUNNING']);
    expect(reasonOf(world.state, world.room, c)).toBe('is being stopped, to start again with its gang');
    expect(reasonOf(world.state, world.room, b)).toBe(
      'waits until nothing of gang is under way, to start again with it',
    );
    world.end(c, 143, 'TERM');
    expect(world.startAll()).toEqual([]);
    // It ended by itself before it was told to stop.
    world.end(d);
    expect(statuses(shards)).toEqual(['QUEUED', 'QUEUED', 'QUEUED', 'QUEUED']);
    expect(world.startAll()).toEqual(shards);
    expect(explain(world.state, world.room, group)).toContain('1 of 1 retries are used');
    for (const shard of shards) world.end(shard);
    expect([statusOf(group), shards.map((shard) => shard.attempts.length)]).toEqual([
      'SUCCESS',
      [2, 2, 2, 2],
    ]);
  });

  it('R21 R28 fails when its retries are used up, and the others go on', () => {
    const { world, group, shards } = withGang(1);
    const [a, b, c, d] = shards as [Task, Task, Task, Task];
    world.startAll();
    world.end(a, 1);
    for (const shard of [b, c, d]) world.end(shard, 1);
    world.startAll();
    stopsIn(world);
    world.end(c, 1);
    expect(stopsIn(world)).toEqual([]);
    expect(statuses(shards)).toEqual(['RUNNING', 'RUNNING', 'FAILURE', 'RUNNING']);
    for (const shard of [a, b, d]) world.end(shard);
    expect(statusOf(group)).toBe('FAILURE');
  });

  it('R21 R32 because a shard was lost, three times at most', () => {
    const { world, group, shards } = withGang();
    for (let start = 1; start <= 3; start++) {
      expect(world.startAll()).toEqual(shards);
      world.lose(shards[0]!);
      // With the first, all others of its host.
      world.lose(shards[2]!);
      for (const shard of [shards[1]!, shards[3]!]) world.end(shard, start < 3 ? 143 : 0);
    }
    expect(statuses([group, ...shards])).toEqual(['FAILURE', 'FAILURE', 'SUCCESS', 'FAILURE', 'SUCCESS']);
  });

  it('R21 R29 by hand runs all of it, and its retries count afresh', () => {
    const { world, group, shards } = withGang(1);
    world.startAll();
    for (const attempt of [1, 2]) {
      for (const [i, shard] of shards.entries()) world.end(shard, i === 0 || attempt === 1 ? 1 : 0);
      world.startAll();
    }
    expect(statuses([group, ...shards])).toEqual(['FAILURE', 'FAILURE', 'SUCCESS', 'SUCCESS', 'SUCCESS']);
    world.retry(shards[0]!);
    expect(world.startAll()).toEqual(shards);
    world.end(shards[3]!, 1);
    for (const shard of shards.slice(0, 3)) world.end(shard, 143, 'TERM');
    expect(world.startAll()).toEqual(shards);
    for (const shard of shards) world.end(shard);
    expect(statusOf(group)).toBe('SUCCESS');
  });

  it('R26 is left alone by what was cancelled, as a whole or one by one', () => {
    const { world, group, shards } = withGang(1);
    const [a, b, c, d] = shards as [Task, Task, Task, Task];
    world.startAll();
    world.cancel(a);
    world.end(b, 1);
    world.cancel(c);
    world.end(a, 143, 'TERM');
    world.end(c, 143, 'TERM');
    world.end(d, 143, 'TERM');
    expect(world.startAll()).toEqual([b, d]);
    world.end(b, 1);
    world.cancel(group);
    world.end(d, 143, 'TERM');
    expect(statuses([group, ...shards])).toEqual([
      'CANCELLED',
      'CANCELLED',
      'FAILURE',
      'CANCELLED',
      'CANCELLED',
    ]);
  });

  it('R31 goes on after a restart of the server in the middle', () => {
    const { world, shards } = withGang(1);
    world.startAll();
    world.end(shards[1]!, 1);
    const copy = restored(world.state);
    expect(indexesOf(copy)).toEqual(indexesOf(world.state));
    expect(copy.task(shards[0]!.number).attempts.at(-1)?.stopping).toBe('gang');
  });

  it('cannot be held shard by shard meanwhile', () => {
    const { world, shards } = withGang(1);
    world.startAll();
    world.end(shards[1]!, 1);
    const { event, message } = holdDecision(shards[1]!, 1, world.state);
    expect([event, message]).toEqual([null, expect.stringContaining('starts with its gang')]);
  });
});
