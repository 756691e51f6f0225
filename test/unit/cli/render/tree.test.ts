import { describe, expect, it } from 'vitest';
import { coloursFor } from '../../../../cli/render/colours.ts';
import { treeLines } from '../../../../cli/render/tree.ts';
import { changeLine, fittingTree } from '../../../../cli/render/watched.ts';
import { start, view } from '../fixture.ts';

const colours = coloursFor({ isTTY: false }, {});
const now = start + 90_000;
const options = { colours, now, width: null, foldAbove: 20 };

const pipeline = [
  view('p-1', 'RUNNING_SUBTASKS', {
    children: { total: 4, done: 2, failed: 1 },
    reason: 'waits for 2 of 4 sub-tasks',
  }),
  view('p-1/prep', 'SUCCESS', { children: { total: 1, done: 1, failed: 0 } }),
  view('p-1/prep/a_b.csv', 'SUCCESS', { name: 'a b.csv' }),
  view('p-1/prep_2', 'FAILURE', { name: 'prep' }),
  view('p-1/__2', 'RUNNING', { name: '日' }),
  view('p-1/eval', 'PENDING', { reason: 'waits for __2 to succeed\x1b[2J' }),
];

describe('the tree', () => {
  it('shows hierarchy, status, children, duration and reason', () => {
    expect(treeLines(pipeline, options)).toEqual([
      'p-1            ◐ RUNNING_SUBTASKS  2/4  1m30s  waits for 2 of 4 sub-tasks',
      '├─ prep        ✓ SUCCESS           1/1    12s',
      '│  └─ a b.csv  ✓ SUCCESS                  12s',
      '├─ prep_2      ✗ FAILURE                  12s  exited with 3',
      '├─ 日 (__2)    ● RUNNING                1m30s',
      '└─ eval        ○ PENDING                       waits for __2 to succeed␛[2J',
    ]);
  });

  it('draws a task whose parent is not shown under its whole id', () => {
    const [line] = treeLines(pipeline.slice(1, 3), options);
    expect(line).toMatch(/^p-1\/prep {2,}✓ SUCCESS/);
  });

  it('folds more than 20 finished siblings into a line, and never what failed or runs', () => {
    const run = view('f-1', 'RUNNING_SUBTASKS');
    const fan = Array.from({ length: 21 }, (_, at) => view(`f-1/c${at}`, at === 3 ? 'SKIPPED' : 'SUCCESS'));
    const rest = [view('f-1/bad', 'FAILURE'), view('f-1/now', 'RUNNING')];
    expect(treeLines([run, ...fan, ...rest], options)).toEqual([
      'f-1            ◐ RUNNING_SUBTASKS         1m30s',
      '├─ bad         ✗ FAILURE                    12s  exited with 3',
      '├─ now         ● RUNNING                  1m30s',
      '└─ … 21 tasks  ✓ 20 SUCCESS, – 1 SKIPPED',
    ]);
    expect(treeLines([run, ...fan.slice(1), ...rest], options)).toHaveLength(23);
    expect(
      treeLines([run, ...fan, ...rest], { ...options, foldAbove: Number.POSITIVE_INFINITY }),
    ).toHaveLength(24);
  });

  it('hides what lies below a folded task', () => {
    const tasks = [view('f-1', 'SUCCESS'), view('f-1/a', 'SUCCESS'), view('f-1/a/b', 'SUCCESS')];
    const lines = treeLines(tasks, { ...options, foldAbove: 0 });
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('└─ … 1 task ');
  });
});

describe('the watched tree', () => {
  const fan = Array.from({ length: 15 }, (_, at) => view(`f-1/c${at}`, 'SUCCESS'));
  const tasks = [view('f-1', 'RUNNING_SUBTASKS'), ...fan, view('f-1/now', 'RUNNING')];

  it('is folded only as far as the screen needs', () => {
    expect(fittingTree(tasks, 17, options)).toHaveLength(17);
    expect(fittingTree(tasks, 16, options)).toHaveLength(3);
  });

  it('is cut where folding is not enough', () => {
    const running = Array.from({ length: 9 }, (_, at) => view(`f-1/r${at}`, 'RUNNING'));
    const lines = fittingTree([...tasks, ...running], 5, options);
    expect(lines).toHaveLength(5);
    expect(lines[4]).toBe('… 8 more lines');
  });

  it('is a line for each change where nothing can be redrawn', () => {
    const before = view('p-1/a', 'RUNNING');
    expect(changeLine(undefined, before, colours, now)).toBe('12:01:30  p-1/a  ● RUNNING');
    expect(changeLine(before, { ...before, reason: 'is blocked' }, colours, now)).toBeNull();
    expect(changeLine(before, view('p-1/a', 'FAILURE'), colours, now)).toBe(
      '12:01:30  p-1/a  ✗ FAILURE  12s  exited with 3',
    );
  });
});
