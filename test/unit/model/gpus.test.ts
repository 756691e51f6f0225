import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain, reasonOf } from '../../../server/model/explain.ts';
import { statusOf } from '../../../server/model/outcome.ts';
import type { Task } from '../../../server/model/task.ts';
import { World } from '../../support/world.ts';

/** What is said of a GPU that is avoided. */
const used = 'is used by another user, 31 GiB';
const gang = (total: number) => ({ total, limit: null, gang: true });
const gpusOf = (tasks: readonly Task[]) => tasks.map((task) => task.attempts.at(-1)?.allocation.gpus);

/** A world whose host box has so many GPUs, for pools gpu-1 … gpu-4 of its own. */
function withBox(gpus: number): World {
  const world = new World();
  world.addHost('box', 16, 64, gpus);
  for (let n = 1; n <= 4; n++) world.addPool(`box-${n}`, ['box'], { gpus: n });
  return world;
}

function reason(world: World, task: Task): string | null {
  return reasonOf(world.state, world.room, task);
}

describe('GPUs', () => {
  it('R24 are granted in the order of the host, and those beyond its list to nobody', () => {
    const world = withBox(4);
    world.setGpus('box', { gpus: [3, 1, 0] });
    const tasks = Array.from({ length: 4 }, () => world.submit(null, { pool: 'box-1' }));
    const started = world.startAll();
    expect(gpusOf(started)).toEqual([[3], [1], [0]]);
    expect(reason(world, tasks[3]!)).toBe(
      'waits: on box 0 of 3 GPUs are free and it needs 1 (held by task, task, task)',
    );
    world.end(started[1]!);
    expect(gpusOf(world.startAll())).toEqual([[1]]);
  });

  it('R24 with slots go to the least used first, and the order decides between equals', () => {
    const world = withBox(3);
    world.setGpus('box', { gpus: [2, 0, 1], slotsPerGpu: 2 });
    for (let i = 0; i < 5; i++) world.submit(null, { pool: 'box-1' });
    const started = world.startAll();
    expect(gpusOf(started)).toEqual([[2], [0], [1], [2], [0]]);
    world.end(started[1]!);
    world.end(started[4]!);
    world.submit(null, { pool: 'box-2' });
    expect(gpusOf(world.startAll())).toEqual([[0, 1]]);
    const waiting = world.submit(null, { pool: 'box-2' });
    expect(world.startAll()).toEqual([]);
    expect(reason(world, waiting)).toMatch(/^waits: on box 1 of 3 GPUs are free and it needs 2 /);
  });

  it('R24 that a host lost from its list stay with who holds them, and are not counted', () => {
    const world = withBox(2);
    world.submit(null, { pool: 'box-2' });
    world.startAll();
    world.setGpus('box', { gpus: [1, 2] });
    world.submit(null, { pool: 'box-1' });
    expect(gpusOf(world.startAll())).toEqual([[2]]);
  });

  it('R24 of one model are granted where a host has several', () => {
    const world = withBox(4);
    world.pools.set('gpu-a100', {
      ...world.room.pool('box-1')!,
      key: 'gpu-a100',
      name: 'gpu-a100',
      gpusOn: new Map([['box', [1, 3]]]),
    });
    for (let i = 0; i < 3; i++) world.submit(null, { pool: 'gpu-a100' });
    world.submit(null, { pool: 'box-1' });
    const [first] = world.startAll();
    expect(gpusOf([first!])).toEqual([[1]]);
    expect(new Set(world.state.holdings.get('box')!.gpus.keys())).toEqual(new Set([0, 1, 3]));
    expect(() => world.submit(null, { pool: 'gpu-a100', shape: { gpus: 3 } })).toThrow('box has');
    expect(() => world.submit(null, { pool: 'gpu-a100', shards: gang(3) })).toThrow('box 2 = 2 < 3');
  });

  it('R24 two of a model are kept for who waits for both, whatever others take meanwhile', () => {
    const world = withBox(4);
    const pool = world.room.pool('box-1')!;
    world.pools.set('model', { ...pool, key: 'model', name: 'model', gpusOn: new Map([['box', [0, 1]]]) });
    const holder = world.submit(null, { pool: 'model' });
    let running = world.startAll();
    const both = world.submit(null, { name: 'both', pool: 'model', shape: { gpus: 2 } });
    for (let i = 0; i < 6; i++) {
      world.submit(null, { pool: 'box-1' });
      for (const task of running) if (task !== holder) world.end(task);
      running = world.startAll();
      expect(running.flatMap((task) => gpusOf([task])[0])).not.toContain(1);
    }
    world.end(holder);
    expect(world.startAll()).toContain(both);
  });
});

describe('a GPU that somebody else uses', () => {
  it('R24 is avoided, and the waiting task says whose it is', () => {
    const world = withBox(3);
    world.setGpus('box', { avoid: new Map([[0, used]]) });
    const tasks = Array.from({ length: 3 }, (_, i) => world.submit(null, { name: `t${i}`, pool: 'box-1' }));
    expect(gpusOf(world.startAll())).toEqual([[1], [2]]);
    expect(reason(world, tasks[2]!)).toBe('waits: GPU 0 on box is used by another user, 31 GiB');
    const large = world.submit(null, { pool: 'box-2' });
    expect(explain(world.state, world.room, large)).toContain(
      'waits: on box 0 of 3 GPUs are free and it needs 2 (held by t0, t1); GPU 0 on box is used by another user, 31 GiB',
    );
    world.setGpus('box', { avoid: new Map() });
    expect(gpusOf(world.startAll())).toEqual([[0]]);
  });

  it('R19 is the whole reason where nothing else is in the way', () => {
    const world = withBox(3);
    world.setGpus('box', { avoid: new Map([[2, used]]) });
    const task = world.submit(null, { pool: 'box-3' });
    expect(world.startAll()).toEqual([]);
    expect(explain(world.state, world.room, task)).toEqual([
      'waits: GPU 2 on box is used by another user, 31 GiB',
    ]);
  });

  it('R23 stays with the task that holds it, which lends it on', () => {
    const world = withBox(1);
    const script = world.submit(null, { pool: 'box-1' });
    world.startAll();
    world.setGpus('box', { avoid: new Map([[0, used]]) });
    const call = world.submit(script, { pool: 'box-1', awaited: true });
    expect(gpusOf(world.startAll())).toEqual([[0]]);
    expect(statusOf(call)).toBe('RUNNING');
  });

  it('R25 does not make a task that needs it keep the others idle', () => {
    const world = withBox(2);
    world.setGpus('box', { avoid: new Map([[0, used]]) });
    const large = world.submit(null, { name: 'large', pool: 'box-2' });
    const small = world.submit(null, { name: 'small', pool: 'box-1' });
    expect(world.startAll()).toEqual([small]);
    // When the other user has gone, the task that has waited longest comes next.
    world.setGpus('box', { avoid: new Map() });
    world.submit(null, { name: 'later', pool: 'box-1' });
    expect(world.startAll()).toEqual([]);
    world.end(small);
    expect(world.startAll()).toEqual([large]);
  });
});

describe('in random scenarios', () => {
  const host = fc.record({
    cpus: fc.integer({ min: 4, max: 16 }),
    gpus: fc.shuffledSubarray([0, 1, 2, 3]),
    slotsPerGpu: fc.integer({ min: 1, max: 3 }),
  });
  const step = fc.record({
    cpus: fc.integer({ min: 0, max: 4 }),
    gpus: fc.integer({ min: 0, max: 4 }),
    pool: fc.constantFrom('any', 'model'),
    gang: fc.option(fc.integer({ min: 2, max: 3 }), { freq: 5 }),
    avoid: fc.array(fc.constantFrom(0, 1, 2, 3), { maxLength: 2 }),
    ends: fc.nat(3),
  });

  it('R21 R24 no GPU has more holders than slots, none that is avoided is granted, gangs start whole', () => {
    let granted = 0;
    fc.assert(
      fc.property(
        fc.array(host, { minLength: 1, maxLength: 3 }),
        fc.array(step, { minLength: 10, maxLength: 50, size: 'max' }),
        (hosts, steps) => {
          const world = new World();
          const names = hosts.map((_, i) => `h${i}`);
          for (const [i, { cpus, ...gpus }] of hosts.entries()) {
            world.addHost(`h${i}`, cpus, 64, 0);
            world.setGpus(`h${i}`, gpus);
          }
          world.addPool('any', names);
          const model = new Map(names.map((name, i) => [name, i % 2 === 0 ? [1, 2] : [0, 3]]));
          world.addPool('model', names);
          world.pools.set('model', { ...world.room.pool('model')!, gpusOn: model });
          let running: Task[] = [];
          const start = () => {
            for (const task of world.startAll()) {
              running.push(task);
              const { host: name, gpus } = task.attempts.at(-1)!.allocation;
              expect(new Set(gpus).size).toBe(gpus.length);
              for (const index of gpus) {
                granted += 1;
                expect(world.hosts.get(name)!.gpus).toContain(index);
                expect(world.hosts.get(name)!.avoid.has(index)).toBe(false);
                if (task.spec.pool === 'model') expect(model.get(name)).toContain(index);
              }
              const group = task.parent === null ? null : world.state.task(task.parent);
              for (const shard of group?.children ?? [])
                expect(statusOf(world.state.task(shard))).toBe('RUNNING');
            }
            for (const [name, holding] of world.state.holdings) {
              const { slotsPerGpu = 1, capacity } = world.hosts.get(name) ?? {};
              expect(holding.cpus).toBeLessThanOrEqual(capacity?.cpus ?? 0);
              for (const holders of holding.gpus.values())
                expect(holders.length).toBeLessThanOrEqual(slotsPerGpu);
            }
          };
          for (const { cpus, gpus, pool, gang: total, avoid, ends } of steps) {
            for (const name of names) world.setGpus(name, { avoid: new Map(avoid.map((i) => [i, used])) });
            const shape = { cpus, gpus };
            const decision = world.decide(null, { pool, shape, ...(total && { shards: gang(total) }) });
            if (decision.kind === 'accepted') world.commit(decision.event);
            start();
            for (let i = 0; i < ends && running.length > 0; i++) world.end(running.shift()!);
          }
          for (const name of names) world.setGpus(name, { avoid: new Map() });
          for (start(); running.length > 0; start()) {
            world.end(running[0]!);
            running = running.slice(1);
          }
          expect(world.state.live.size).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
    expect(granted).toBeGreaterThan(500);
  });
});
