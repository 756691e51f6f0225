import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusOf } from '../../../server/model/outcome.ts';
import type { Task } from '../../../server/model/task.ts';
import { World } from '../../support/world.ts';

describe('room', () => {
  it('R6 sets no limit to the shell pool', () => {
    const world = new World();
    for (let i = 0; i < 500; i++) world.submit(null);
    expect(world.startAll()).toHaveLength(500);
  });

  it('R22 holds a shape from STARTING until the own command ends, not for its children', () => {
    const world = new World();
    const script = world.submit(null, { pool: 'cpu-16' });
    const next = world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    world.submit(script, { name: 'child' });
    expect(statusOf(next)).toBe('QUEUED');
    world.end(script);
    expect(statusOf(script)).toBe('RUNNING_SUBTASKS');
    expect(world.startAll()).toContain(next);
  });

  it('R23 lends the shape of a task that is blocked in vrun to what it waits for', () => {
    const world = new World();
    const script = world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    const call = world.submit(script, { name: 'call', pool: 'cpu-8', awaited: true });
    const other = world.submit(null, { name: 'other', pool: 'cpu-8' });
    expect(world.startAll()).toEqual([call]);
    world.end(call);
    expect(world.startAll()).toEqual([]);
    world.end(script);
    expect(world.startAll()).toEqual([other]);
  });

  it('R23 lends the only slot of a pool, at any depth', () => {
    const world = new World();
    let task = world.submit(null, { pool: 'one' });
    for (let depth = 0; depth < 5; depth++) {
      expect(world.startAll()).toEqual([task]);
      task = world.submit(task, { pool: 'one', awaited: true });
    }
    expect(world.startAll()).toEqual([task]);
  });

  it('R23 lends to a sibling that the awaited task waits for', () => {
    const world = new World();
    const script = world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    const first = world.submit(script, { name: 'first', pool: 'cpu-8' });
    expect(world.startAll()).toEqual([]);
    world.submit(script, { name: 'second', pool: 'cpu-8', afterSuccess: ['first'], awaited: true });
    expect(world.startAll()).toEqual([first]);
  });

  it('R23 never deadlocks: two blocked halves of a host make room for one call of its whole size', () => {
    const world = new World();
    const scripts = [world.submit(null, { pool: 'cpu-8' }), world.submit(null, { pool: 'cpu-8' })];
    world.startAll();
    const calls = scripts.map((script) =>
      world.submit(script, { name: 'call', pool: 'cpu-16', awaited: true }),
    );
    expect(world.startAll()).toEqual([calls[0]]);
    world.end(calls[0]!);
    world.end(scripts[0]!);
    expect(world.startAll()).toEqual([calls[1]]);
  });

  it('R24 grants GPUs by index, each to one task', () => {
    const world = new World();
    for (let i = 0; i < 5; i++) world.submit(null, { pool: 'gpu-1' });
    const started = world.startAll();
    expect(started.map((task) => task.attempts[0]?.allocation.gpus)).toEqual([[0], [1], [2], [3]]);
    world.end(started[2]!);
    expect(world.startAll().map((task) => task.attempts[0]?.allocation.gpus)).toEqual([[2]]);
  });

  it('R25 goes by priority, then by submission', () => {
    const world = new World();
    const blocker = world.submit(null, { pool: 'cpu-16' });
    world.startAll();
    const late = world.submit(null, { name: 'late', pool: 'cpu-16', priority: 5 });
    const plain = world.submit(null, { name: 'plain', pool: 'cpu-16' });
    const second = world.submit(null, { name: 'second', pool: 'cpu-16' });
    const urgent = world.submit(null, { name: 'urgent', pool: 'cpu-16', priority: -1 });
    const order: Task[] = [];
    let running = blocker;
    while (order.length < 4) {
      world.end(running);
      running = world.startAll()[0]!;
      order.push(running);
    }
    expect(order).toEqual([urgent, plain, second, late]);
  });

  it('R25 keeps room for a large task that waits, in whichever pool smaller ones come', () => {
    const world = new World();
    world.addPool('cpu-1', ['local'], { cpus: 1 });
    const small = world.submit(null, { pool: 'cpu-1' });
    world.startAll();
    const large = world.submit(null, { pool: 'cpu-16' });
    const gpu = world.submit(null, { pool: 'gpu-1' });
    const another = world.submit(null, { pool: 'cpu-1' });
    // The GPU task takes nothing that the large one needs.
    expect(world.startAll()).toEqual([gpu]);
    world.end(small);
    expect(world.startAll()).toEqual([large]);
    world.end(large);
    expect(world.startAll()).toEqual([another]);
  });

  it('refuses a shape that no host of the pool has', () => {
    const world = new World();
    expect(() => world.submit(null, { pool: 'cpu-8', shape: { cpus: 99 } })).toThrow(
      'pool cpu-8 can never run this: it asks for 99 CPUs, and local has 16 CPUs, 4 GPUs, 64 GiB of memory',
    );
  });

  it('starts nothing on a host that is out of reach', () => {
    const world = new World();
    world.addHost('far', 64, 64, 8, false);
    world.addPool('far', ['far'], { cpus: 1 });
    const task = world.submit(null, { pool: 'far' });
    expect(world.startAll()).toEqual([]);
    world.addHost('far', 64, 64, 8);
    expect(world.startAll()).toEqual([task]);
  });

  it('R22 R24 never gives away more than there is, and never lets work wait for ever', () => {
    const shape = fc.record({ cpus: fc.integer({ min: 0, max: 16 }), gpus: fc.integer({ min: 0, max: 4 }) });
    const step = fc.record({
      shape,
      host: fc.constantFrom('local', 'far'),
      priority: fc.integer({ min: -1, max: 1 }),
      ends: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        world.addHost('far', 16, 64, 4);
        world.addPool('either', ['local', 'far']);
        world.addPool('far', ['far']);
        const running: Task[] = [];
        const check = () => {
          for (const [name, holding] of world.state.holdings) {
            const capacity = world.hosts.get(name)?.capacity;
            expect(holding.cpus).toBeLessThanOrEqual(capacity?.cpus ?? 0);
            for (const holders of holding.gpus.values()) expect(holders).toHaveLength(1);
          }
        };
        for (const { shape: wanted, host, priority, ends } of steps) {
          world.submit(null, { pool: host === 'far' ? 'far' : 'either', shape: wanted, priority });
          running.push(...world.startAll());
          check();
          for (let i = 0; i < ends && running.length > 0; i++) world.end(running.shift()!);
        }
        for (running.push(...world.startAll()); running.length > 0; running.push(...world.startAll())) {
          check();
          world.end(running.shift()!);
        }
        expect(world.state.live.size).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
