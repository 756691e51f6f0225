import { describe, expect, it } from 'vitest';
import { choose } from '../../../../server/engine/trees/outputs.ts';
import type { Change, Manifest } from '../../../../server/workspace/manifest.ts';

const file = (path: string, size = 1): Change => ({
  path,
  entry: { kind: 'file', hash: 'a'.repeat(64), size, executable: false },
});
const none: Manifest = new Map();
const paths = (changes: readonly Change[]) => changes.map(({ path }) => path);

describe('results that come back', () => {
  it.each([
    [['*.csv'], '', ['a.csv', 'out/b.csv', 'out/sub/c.csv']],
    [['out/*.csv'], '', ['out/b.csv']],
    [['./out/'], '', ['out/b.csv', 'out/sub/c.csv']],
    [['*.csv'], 'out', ['out/b.csv', 'out/sub/c.csv']],
    [['sub/**'], 'out', ['out/sub/c.csv']],
    [['x'], '', []],
  ])('%j from %j are %j', (globs, directory, expected) => {
    const changes = [file('a.csv'), file('b.txt'), file('out/b.csv'), file('out/sub/c.csv')];
    const { come, stay } = choose(changes, none, { outputs: [{ globs, directory }], most: 100 });
    expect(paths(come)).toEqual(expected);
    expect(come.length + stay.length).toBe(changes.length);
  });

  it('are the smallest where they are too much, and removals and links always', () => {
    const changes: Change[] = [file('big', 80), file('a', 10), { path: 'gone', entry: null }, file('b', 15)];
    const { come, stay } = choose(changes, none, { outputs: null, most: 30 });
    expect([paths(come), paths(stay)]).toEqual([['a', 'gone', 'b'], ['big']]);
  });

  it('are what the run had before, whatever is asked for', () => {
    const code = file('code.py');
    const holds = new Map([['code.py', code.entry]]) as Manifest;
    expect(choose([code], holds, { outputs: [{ globs: ['*.csv'], directory: '' }], most: 10 }).come).toEqual([
      code,
    ]);
  });
});
