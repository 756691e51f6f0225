import { describe, expect, it } from 'vitest';
import { gangVariables } from '../../../server/engine/gangs.ts';
import type { Task } from '../../../server/model/task.ts';
import { World } from '../../support/world.ts';

const gang = (total: number) => ({ total, limit: null, gang: true });

function withHosts(): World {
  const world = new World();
  for (const name of ['h0', 'h1']) world.addHost(name, 8, 64, 0);
  world.addPool('wide', ['h0', 'h1'], { cpus: 4 });
  return world;
}

function start(world: World, total: number, name = 'gang'): Task[] {
  const group = world.submit(null, { name, pool: 'wide', shards: gang(total), retries: 1 });
  world.startAll();
  return group.children.map((number) => world.state.task(number));
}

const variables = (world: World, task: Task) => gangVariables(world.state, task, (host) => `${host}.example`);

describe('the shards of a gang', () => {
  it('R21 find each other over several hosts', () => {
    const world = withHosts();
    const shards = start(world, 4);
    const found = shards.map((shard) => variables(world, shard));
    const port = found[0]?.MASTER_PORT;
    const place = { MASTER_ADDR: 'h0.example', MASTER_PORT: port, WORLD_SIZE: '4' };
    expect(found).toEqual([
      { ...place, NODE_RANK: '0', RANK: '0' },
      { ...place, NODE_RANK: '1', RANK: '1' },
      { ...place, NODE_RANK: '0', RANK: '2' },
      { ...place, NODE_RANK: '1', RANK: '3' },
    ]);
  });

  it('R21 speak by way of 127.0.0.1 on one host', () => {
    const world = withHosts();
    world.addHost('h0', 1, 64, 0);
    for (const shard of start(world, 2)) {
      expect(variables(world, shard)).toMatchObject({ MASTER_ADDR: '127.0.0.1', NODE_RANK: '0' });
    }
  });

  it('R21 have a port that no other gang has, nor their next attempt', () => {
    const world = withHosts();
    const seen = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const [first, second] = start(world, 2, 'gang') as [Task, Task];
      for (let attempt = 1; attempt <= 2; attempt++) {
        const [port, other] = [first, second].map((shard) => Number(variables(world, shard).MASTER_PORT));
        expect(port).toBe(other);
        expect(port).toBeGreaterThanOrEqual(29_500);
        expect(port).toBeLessThan(32_768);
        seen.add(port ?? 0);
        world.end(first, attempt === 1 ? 1 : 0);
        world.end(second);
        world.startAll();
      }
    }
    expect(seen.size).toBe(120);
  });

  it('R21 are counted without those that were cancelled before the start', () => {
    const world = withHosts();
    const big = world.submit(null, { pool: 'cpu-16' });
    world.addPool('wide', ['local'], { cpus: 4 });
    world.startAll();
    const shards = start(world, 3);
    world.cancel(shards[1]!);
    world.end(big);
    world.startAll();
    expect([shards[0]!, shards[2]!].map((shard) => variables(world, shard))).toMatchObject([
      { RANK: '0', WORLD_SIZE: '2' },
      { RANK: '1', WORLD_SIZE: '2' },
    ]);
  });

  it('are told it again when the order is given again, also after one of them has ended', () => {
    const world = withHosts();
    const shards = start(world, 4);
    const before = variables(world, shards[3]!);
    world.end(shards[0]!);
    expect(variables(world, shards[3]!)).toEqual(before);
  });

  it('R20 are the only ones that are told', () => {
    const world = withHosts();
    const group = world.submit(null, { shards: { total: 2, limit: null, gang: false } });
    const alone = world.submit(null);
    world.startAll();
    for (const task of [alone, world.state.task(group.children[0]!)])
      expect(variables(world, task)).toEqual({});
  });
});
