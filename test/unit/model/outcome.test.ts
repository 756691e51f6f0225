import { describe, expect, it } from 'vitest';
import { statusOf } from '../../../server/model/outcome.ts';
import type { Task } from '../../../server/model/task.ts';
import { World } from '../../support/world.ts';

/** Brings a new task of this run to an end of the kind asked for. */
function upstream(world: World, run: Task, ending: string): Task {
  if (ending === 'FAILED_UPSTREAM') {
    const broken = upstream(world, run, 'FAILURE');
    return world.submit(run, { name: 'up', afterSuccess: [broken.spec.name] });
  }
  if (ending === 'SKIPPED') {
    const fine = upstream(world, run, 'SUCCESS');
    return world.submit(run, { name: 'up', afterFail: [fine.spec.name] });
  }
  const task = world.submit(run, { name: `up-${ending}-${run.children.length}` });
  world.startAll();
  if (ending === 'CANCELLED') world.cancel(task);
  world.end(task, ending === 'SUCCESS' ? 0 : 1);
  return task;
}

const endings = ['SUCCESS', 'FAILURE', 'FAILED_UPSTREAM', 'CANCELLED', 'SKIPPED'];
const table: Record<string, Record<string, string>> = {
  SUCCESS: { afterSuccess: 'QUEUED', afterFail: 'SKIPPED', after: 'QUEUED' },
  FAILURE: { afterSuccess: 'FAILED_UPSTREAM', afterFail: 'QUEUED', after: 'QUEUED' },
  FAILED_UPSTREAM: { afterSuccess: 'FAILED_UPSTREAM', afterFail: 'QUEUED', after: 'QUEUED' },
  CANCELLED: { afterSuccess: 'FAILED_UPSTREAM', afterFail: 'QUEUED', after: 'QUEUED' },
  SKIPPED: { afterSuccess: 'SKIPPED', afterFail: 'SKIPPED', after: 'QUEUED' },
};

describe('dependencies', () => {
  for (const ending of endings) {
    for (const kind of ['afterSuccess', 'afterFail', 'after']) {
      const expected = table[ending]?.[kind];
      it(`R15 ${kind} of an upstream that ended ${ending} makes ${expected}`, () => {
        const world = new World();
        const run = world.run();
        const up = upstream(world, run, ending);
        expect(statusOf(up)).toBe(ending);
        expect(statusOf(world.submit(run, { name: 'late', [kind]: [up.segment] }))).toBe(expected);
      });

      it(`R17 decides the same for a task that was there before: ${kind} of ${ending}`, () => {
        const world = new World();
        const run = world.run();
        const early = world.submit(run, { name: 'early', [kind]: ['gate'] });
        const gate = world.submit(run, { name: 'gate' });
        world.startAll();
        const up = upstream(world, gate, ending);
        // The gate ends like what is below it, or, where that is neutral, is made to end so itself.
        if (ending === 'CANCELLED') world.cancel(gate);
        world.end(gate, 0);
        const expected = statusOf(gate) === 'SUCCESS' ? table.SUCCESS?.[kind] : table[statusOf(gate)]?.[kind];
        expect(statusOf(up)).toBe(ending);
        expect(statusOf(early)).toBe(expected);
      });
    }
  }

  it('R15 lets FAILED_UPSTREAM beat SKIPPED in either order', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const world = new World();
      const run = world.run();
      world.submit(run, { name: 'fails' });
      world.submit(run, { name: 'works' });
      const both = world.submit(run, { name: 'both', afterSuccess: ['fails'], afterFail: ['works'] });
      const [fails, works] = world.startAll() as [Task, Task];
      const ends = [() => world.end(fails, 1), () => world.end(works, 0)];
      for (const which of order) ends[which]?.();
      expect(statusOf(both)).toBe('FAILED_UPSTREAM');
    }
  });

  it('R16 waits for the whole subtree of an upstream', () => {
    const world = new World();
    const run = world.run();
    const fan = world.submit(run, { name: 'fan' });
    const next = world.submit(run, { name: 'next', afterSuccess: ['fan'] });
    world.startAll();
    const part = world.submit(fan, { name: 'part' });
    world.end(fan);
    expect(statusOf(fan)).toBe('RUNNING_SUBTASKS');
    expect(statusOf(next)).toBe('PENDING');
    world.startAll();
    world.end(part, 3);
    expect(statusOf(fan)).toBe('FAILURE');
    expect(statusOf(next)).toBe('FAILED_UPSTREAM');
  });
});

describe('outcome of a task with children', () => {
  it('R13 is done only when its own command and every child are', () => {
    for (const childFirst of [true, false]) {
      const world = new World();
      const run = world.run();
      const child = world.submit(run);
      world.startAll();
      const ends = [() => world.end(child), () => world.end(run)];
      if (!childFirst) ends.reverse();
      ends[0]?.();
      expect(['RUNNING', 'RUNNING_SUBTASKS']).toContain(statusOf(run));
      ends[1]?.();
      expect(statusOf(run)).toBe('SUCCESS');
    }
  });

  it.each([
    ['child fails', [1], [], 0, 'FAILURE'],
    ['own command fails', [0], [], 2, 'FAILURE'],
    ['all well', [0, 0], [], 0, 'SUCCESS'],
    ['failed child allowed to', [1, 0], [0], 0, 'SUCCESS'],
    ['another fails too', [1, 1], [0], 0, 'FAILURE'],
  ] as const)('R14 %s', (_, codes, allowed, own, expected) => {
    const world = new World();
    const run = world.run();
    const children = codes.map((_code, i) =>
      world.submit(run, { allowFailure: (allowed as readonly number[]).includes(i) }),
    );
    world.startAll();
    children.forEach((child, i) => world.end(child, codes[i]));
    world.end(run, own);
    expect(statusOf(run)).toBe(expected);
  });

  it('R14 counts FAILED_UPSTREAM and CANCELLED children as failed, SKIPPED ones not', () => {
    const world = new World();
    const run = world.run();
    const fine = upstream(world, run, 'SUCCESS');
    const skipped = world.submit(run, { afterFail: [fine.segment] });
    world.end(run);
    expect([statusOf(skipped), statusOf(run)]).toEqual(['SKIPPED', 'SUCCESS']);
    const other = world.run();
    upstream(world, other, 'CANCELLED');
    world.end(other);
    expect(statusOf(other)).toBe('FAILURE');
  });

  it('R18 leaves siblings and parent running when a child fails', () => {
    const world = new World();
    const run = world.run();
    const [a, b] = [world.submit(run), world.submit(run)];
    world.startAll();
    world.end(a, 1);
    expect([statusOf(run), statusOf(b)]).toEqual(['RUNNING', 'RUNNING']);
    expect(world.effects.filter((effect) => effect.type === 'stop')).toEqual([]);
  });
});
