/** Large runs: no step may take time that grows with the square of them, nor a stack that grows with them. */
import { describe, expect, it } from 'vitest';
import type { TaskEvent } from '../../../server/model/events.ts';
import { statusOf } from '../../../server/model/outcome.ts';
import { place } from '../../../server/model/placement.ts';
import type { Task } from '../../../server/model/task.ts';
import { World } from '../../support/world.ts';

/** Between 4, which is linear, and 16, which is quadratic. */
const linear = 10;

/**
 * How often something took as long for four times as much. Something else that runs meanwhile can only
 * make it look worse, so the best of a few tries counts.
 */
function growth(count: number, work: (count: number) => () => void): number {
  work(count / 20)();
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3 && best >= linear; tries++) {
    const small = timed(work(count / 4));
    const large = timed(work(count));
    // A few milliseconds more or less say nothing.
    best = Math.min(best, large / Math.max(small, 20));
  }
  return best;
}

function timed(action: () => void): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

function failed(task: Task): TaskEvent {
  const exit = { exitCode: 1, signal: null, reason: null };
  return { type: 'ended', at: 1, task: task.number, attempt: task.attempts.length, exit };
}

/** A run with `count` children of the same upstream, and one that waits for them all. */
function diamond(world: World, count: number): { run: Task; source: Task; parts: Task[]; join: Task } {
  const run = world.run();
  const source = world.submit(run, { name: 'source' });
  const parts = Array.from({ length: count }, () =>
    world.submit(run, { name: 'part', afterSuccess: ['source'] }),
  );
  return { run, source, parts, join: world.submit(run, { name: 'join', afterSuccess: ['part'] }) };
}

describe('at scale', () => {
  it('a chain of 50,000 tasks falls in one step when its first link fails', () => {
    const ratio = growth(50_000, (count) => {
      const world = new World();
      const run = world.run();
      const first = world.submit(run, { name: 't0' });
      for (let i = 1; i < count; i++) world.submit(run, { name: `t${i}`, afterSuccess: [`t${i - 1}`] });
      world.startAll();
      return () => {
        world.commit(failed(first));
        expect(statusOf(world.task(`${run.id}/t${count - 1}`))).toBe('FAILED_UPSTREAM');
        world.retry(world.task(`${run.id}/t0`));
        expect(statusOf(world.task(`${run.id}/t${count - 1}`))).toBe('PENDING');
      };
    });
    expect(ratio).toBeLessThan(linear);
  });

  it('R20 100,000 shards are made, let go, started and ended', () => {
    const ratio = growth(100_000, (count) => () => {
      const world = new World();
      world.addPool('slots', ['local'], {}, 1_000);
      const group = world.submit(null, {
        shards: { total: count, limit: 1_000, gang: false },
        pool: 'slots',
      });
      for (let running = world.placeAll(); running.length > 0; running = world.placeAll()) {
        for (const task of running) world.commit(failed(task));
      }
      expect(group.tally).toEqual({ done: count, failed: count, awaited: 0, active: 0 });
    });
    expect(ratio).toBeLessThan(linear);
  });

  it('R26 R29 a fan-out of 40,000 with its fan-in is cancelled and retried', () => {
    const ratio = growth(40_000, (count) => {
      const world = new World();
      const { run, source, parts, join } = diamond(world, count);
      world.startAll();
      world.end(source);
      world.end(run);
      expect(parts.every((part) => statusOf(part) === 'QUEUED')).toBe(true);
      return () => {
        world.cancel(run);
        expect([statusOf(run), statusOf(join)]).toEqual(['CANCELLED', 'CANCELLED']);
        world.retry(run);
        expect([statusOf(join), join.dependencies[0]?.tally.left]).toEqual(['PENDING', count]);
      };
    });
    expect(ratio).toBeLessThan(linear);
  });

  it('R11 130,000 tasks wait for one name: more than a call takes arguments', () => {
    const world = new World();
    const run = world.run();
    for (let i = 0; i < 130_000; i++) world.submit(run, { afterSuccess: ['late'] });
    expect(world.submit(run, { name: 'late' }).dependents).toHaveLength(130_000);
    world.cancel(run);
    world.end(run, 143, 'TERM');
    expect([statusOf(run), run.tally.done]).toEqual(['CANCELLED', 130_001]);
  });

  it('R11 20,000 tasks of as many names give up on a name that is not among them', () => {
    const ratio = growth(20_000, (count) => {
      const world = new World();
      const run = world.run();
      for (let i = 0; i < count; i++) world.submit(run, { name: `w${i}`, afterSuccess: ['wrong'] });
      return () => {
        world.end(run);
        expect(run.tally.failed).toBe(count);
      };
    });
    expect(ratio).toBeLessThan(linear);
  });

  it('R29 a script submits 20,000 children of one upstream again', () => {
    const ratio = growth(20_000, (count) => {
      const world = new World();
      const { run, source } = diamond(world, count);
      world.startAll();
      world.end(source, 1);
      world.end(run, 1);
      world.retry(run);
      world.startAll();
      return () => {
        world.submit(run, { name: 'source' });
        for (let i = 0; i < count; i++) world.submit(run, { name: 'part', afterSuccess: ['source'] });
        expect(run.children).toHaveLength(count + 2);
        expect(source.dependents).toHaveLength(count);
      };
    });
    expect(ratio).toBeLessThan(linear);
  });

  it('R23 10,000 scripts, each blocked in a call for the same full pool, cost each look little', () => {
    const ratio = growth(10_000, (count) => {
      const world = new World();
      const scripts = Array.from({ length: count }, () => world.submit(null, { name: 'script' }));
      world.startAll();
      for (const script of scripts) world.submit(script, { name: 'call', pool: 'gpu-1', awaited: true });
      expect(world.startAll()).toHaveLength(4);
      return () => {
        for (let look = 0; look < 10; look++) expect(place(world.state, world.room)).toEqual([]);
      };
    });
    expect(ratio).toBeLessThan(linear);
  });

  it('R28 20,000 queued tasks fail and queue again at the front', () => {
    const ratio = growth(20_000, (count) => {
      const world = new World();
      const run = world.run();
      for (let i = 0; i < count; i++) world.submit(run, { pool: 'gpu-1', retries: 1 });
      return () => {
        for (let running = world.placeAll(); running.length > 0; running = world.placeAll()) {
          for (const task of running) world.commit(failed(task));
        }
        expect(run.tally.done).toBe(count);
      };
    });
    expect(ratio).toBeLessThan(linear);
  });

  it('20,000 runs of one name are pruned', () => {
    const ratio = growth(20_000, (count) => {
      const world = new World();
      const runs = Array.from({ length: count }, () => world.submit(null, { name: 'same' }));
      for (const run of world.startAll()) world.end(run);
      return () => {
        world.commit({ type: 'pruned', at: 1, runs: runs.map((run) => run.number) });
        expect(world.state.tasks.size).toBe(0);
      };
    });
    expect(ratio).toBeLessThan(linear);
  });
});
