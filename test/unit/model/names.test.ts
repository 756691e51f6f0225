import { describe, expect, it } from 'vitest';
import { runSuffix } from '../../../server/model/ids.ts';
import { globPattern } from '../../../server/model/names.ts';
import { statusOf } from '../../../server/model/outcome.ts';
import { World } from '../../support/world.ts';

describe('ids', () => {
  it('R7 makes ids paths, with a short suffix for runs and cleaned segments below', () => {
    const world = new World();
    const run = world.run('training_pipeline');
    expect(run.id).toMatch(/^training_pipeline-[0-9a-z]{5}$/);
    const child = world.submit(run, { name: 'data/a b.csv' });
    expect(child.id).toBe(`${run.id}/data_a_b.csv`);
    expect(child.spec.name).toBe('data/a b.csv');
  });

  it('R7 gives no two runs the same suffix, in one folder nor at the same place of two', () => {
    const seen = new Set(Array.from({ length: 20_000 }, (_, number) => runSuffix(number, 3)));
    expect(seen.size).toBe(20_000);
    expect(runSuffix(1, 3)).not.toBe(runSuffix(1, 4));
    expect(runSuffix(2 ** 25, 0)).not.toBe(runSuffix(0, 0));
  });

  it('R9 numbers taken segments, past ones that were given as names', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'x_3' });
    const ids = Array.from({ length: 4 }, () => world.submit(run, { name: 'x' }).segment);
    expect(ids).toEqual(['x', 'x_2', 'x_4', 'x_5']);
  });

  it('R9 takes constant time however many there are', () => {
    const world = new World();
    const run = world.run();
    const time = (count: number) => {
      const start = performance.now();
      for (let i = 0; i < count; i++) world.submit(run, { name: 'same' });
      return performance.now() - start;
    };
    time(200);
    const early = time(1_000);
    time(6_000);
    expect(time(1_000)).toBeLessThan(early * 8 + 20);
  });
});

describe('what a dependency names', () => {
  it('R10 means all siblings that bear the name by now', () => {
    const world = new World();
    const run = world.run();
    const first = world.submit(run, { name: 'prep' });
    const second = world.submit(run, { name: 'prep' });
    const after = world.submit(run, { name: 'join', afterSuccess: ['prep'] });
    world.submit(run, { name: 'prep' });
    expect(after.dependencies[0]?.upstream).toEqual([first.number, second.number]);
  });

  it('R10 picks one by its segment where nobody bears the name', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'prep' });
    const second = world.submit(run, { name: 'prep' });
    expect(world.submit(run, { name: 'a', afterSuccess: ['prep_2'] }).dependencies[0]?.upstream).toEqual([
      second.number,
    ]);
  });

  it('R10 matches globs over names, and reaches children by a path', () => {
    const world = new World();
    const run = world.run();
    const a = world.submit(run, { name: 'a.csv' });
    const b = world.submit(run, { name: 'b.csv' });
    world.startAll();
    const inner = world.submit(a, { name: 'inner' });
    expect(world.submit(run, { name: 'g', afterSuccess: ['*.csv'] }).dependencies[0]?.upstream).toEqual([
      a.number,
      b.number,
    ]);
    expect(world.submit(run, { name: 'p', afterSuccess: ['a.csv/inner'] }).dependencies[0]?.upstream).toEqual(
      [inner.number],
    );
    expect(() => world.submit(run, { name: 'n', afterSuccess: ['*.txt'] })).toThrow(
      /no task in .* is named "\*\.txt"/,
    );
  });

  it('R10 takes a name with a slash for a name before it takes it for a path', () => {
    const world = new World();
    const run = world.run();
    const file = world.submit(run, { name: 'data/x.csv' });
    expect(world.submit(run, { name: 'a', afterSuccess: ['data/x.csv'] }).dependencies[0]?.upstream).toEqual([
      file.number,
    ]);
  });

  it('R10 aggregates several: failed if any failed, skipped if all were, else succeeded', () => {
    const world = new World();
    const run = world.run();
    for (let i = 0; i < 3; i++) world.submit(run, { name: 'part' });
    const onFail = world.submit(run, { name: 'f', afterFail: ['part'] });
    const onSuccess = world.submit(run, { name: 's', afterSuccess: ['part'] });
    const parts = world.startAll();
    world.end(parts[0]!, 1);
    expect(statusOf(onSuccess)).toBe('FAILED_UPSTREAM');
    expect(statusOf(onFail)).toBe('PENDING');
    world.end(parts[1]!);
    world.end(parts[2]!);
    expect(statusOf(onFail)).toBe('QUEUED');
  });

  it('R10 among runs means those under way, or else the latest', () => {
    const world = new World();
    const old = world.run('train');
    world.end(old, 1);
    const recent = world.run('train');
    world.end(recent);
    expect(world.submit(null, { name: 'eval', afterSuccess: ['train'] }).dependencies[0]?.upstream).toEqual([
      recent.number,
    ]);
    const live = [world.run('train'), world.run('train')];
    const both = world.submit(null, { name: 'eval', afterSuccess: ['train'] });
    expect(both.dependencies[0]?.upstream).toEqual(live.map((run) => run.number));
  });

  it.each([
    ['*.csv', 'a.csv', true],
    ['*.csv', 'a.csv.gz', false],
    ['part-?', 'part-1', true],
    ['part-[0-4]', 'part-5', false],
    ['part-[!0-4]', 'part-5', true],
    ['a.b', 'axb', false],
    ['[', '[', true],
  ])('glob %s on %s: %s', (glob, name, matches) => {
    expect(globPattern(glob).test(name)).toBe(matches);
  });
});

describe('names that nobody bears yet', () => {
  it('R11 waits, and binds to the first sibling that takes the name', () => {
    const world = new World();
    const run = world.run();
    const waiting = world.submit(run, { name: 'b', afterSuccess: ['a'] });
    const first = world.submit(run, { name: 'a' });
    world.submit(run, { name: 'a' });
    expect(waiting.dependencies[0]?.upstream).toEqual([first.number]);
    for (const task of world.startAll()) world.end(task);
    expect(statusOf(waiting)).toBe('QUEUED');
  });

  it("R11 ends FAILED_UPSTREAM with a hint when the parent's command ends first", () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'preprocess' });
    world.submit(run, { name: 'train', afterSuccess: ['preprocess'] });
    const validate = world.submit(run, { name: 'validate', afterSuccess: ['compute'] });
    expect(statusOf(validate)).toBe('PENDING');
    world.end(run);
    expect(validate.phase).toMatchObject({
      outcome: 'failedUpstream',
      reason: 'no task "compute" in this run; did you mean "preprocess"?',
    });
  });

  it('R11 awaits a path below a sibling that exists, one that comes later, and gives up with its command', () => {
    const world = new World();
    const run = world.run();
    const later = world.submit(run, { name: 'w1', afterSuccess: ['a/x'] });
    const a = world.submit(run, { name: 'a' });
    const now = world.submit(run, { name: 'w2', afterSuccess: ['a/x'] });
    const never = world.submit(run, { name: 'w3', afterSuccess: ['a/y'] });
    world.startAll();
    const x = world.submit(a, { name: 'x' });
    expect([later, now].map((task) => task.dependencies[0]?.upstream)).toEqual([[x.number], [x.number]]);
    world.end(a);
    expect(statusOf(never)).toBe('FAILED_UPSTREAM');
  });

  it('R11 refuses an unknown run at once, naming the nearest', () => {
    const world = new World();
    world.run('train');
    expect(() => world.submit(null, { name: 'eval', afterSuccess: ['tarin'] })).toThrow(
      'no run is named "tarin"; did you mean "train"?',
    );
  });
});

describe('cycles', () => {
  it('R12 refuses a task that would wait for itself', () => {
    const world = new World();
    const run = world.run();
    expect(() => world.submit(run, { name: 'a', after: ['a'] })).toThrow('a → a');
  });

  it('R12 refuses what closes a cycle, and shows it', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'a', after: ['c'] });
    world.submit(run, { name: 'b', after: ['a'] });
    expect(() => world.submit(run, { name: 'c', after: ['b'] })).toThrow(
      'this would close a cycle: c → b → a → c',
    );
    expect(world.submit(run, { name: 'c', after: [] }).id).toBe(`${run.id}/c`);
  });

  it('R12 sees a cycle through what a sibling would submit', () => {
    const world = new World();
    const run = world.run();
    world.submit(run, { name: 'x', after: ['y/z'] });
    expect(() => world.submit(run, { name: 'y', after: ['x'] })).toThrow('y → x → y');
  });

  it('R12 allows the same name again where it means an earlier sibling', () => {
    const world = new World();
    const run = world.run();
    const first = world.submit(run, { name: 'step' });
    expect(world.submit(run, { name: 'step', afterSuccess: ['step'] }).dependencies[0]?.upstream).toEqual([
      first.number,
    ]);
  });
});
