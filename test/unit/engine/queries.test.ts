import { describe, expect, it } from 'vitest';
import { findTask } from '../../../server/engine/queries.ts';
import { World } from '../../support/world.ts';

function pipelines() {
  const world = new World();
  const older = world.submit(null, { name: 'pipeline' });
  world.submit(older, { name: 'train' });
  world.submit(older, { name: 'old' });
  const newer = world.submit(null, { name: 'pipeline' });
  const train = world.submit(newer, { name: 'train' });
  for (const name of ['a', 'b', 'c']) {
    const part = world.submit(newer, { name });
    world.submit(part, { name: 'step' });
  }
  const find = (text: string) => findTask(world.state, text).id;
  return { world, older, newer, train, find };
}

describe('R7 what a person types for a task', () => {
  it('is its id, or a path that begins with the newest run of a name', () => {
    const { older, newer, train, find } = pipelines();
    expect([older.id, 'pipeline', 'pipeline/train', `${older.id}/train`].map(find)).toEqual([
      older.id,
      newer.id,
      train.id,
      `${older.id}/train`,
    ]);
  });

  it('or how its path ends, in the newest run that has such a task', () => {
    const { older, newer, train, find } = pipelines();
    expect(['train', 'old', 'a/step'].map(find)).toEqual([train.id, `${older.id}/old`, `${newer.id}/a/step`]);
  });

  it('means a run before any sub-task', () => {
    const { world, find } = pipelines();
    const run = world.submit(null, { name: 'train' });
    expect(find('train')).toBe(run.id);
  });

  it('is refused where several end so, with what they are', () => {
    const { newer, find } = pipelines();
    expect(() => find('step')).toThrow(
      `"step" may be ${newer.id}/a/step, ${newer.id}/b/step and 1 more; say which one`,
    );
  });

  it('is refused with what was probably meant', () => {
    const { find } = pipelines();
    expect(() => find('tarin')).toThrow('there is no task "tarin"; did you mean "train"?');
    expect(() => find('rain/x')).toThrow('there is no task "rain/x"');
    // No part of a segment is one.
    expect(() => find('ain')).toThrow('there is no task "ain"');
  });
});
