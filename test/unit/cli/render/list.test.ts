import { describe, expect, it } from 'vitest';
import { type Colours, coloursFor } from '../../../../cli/render/colours.ts';
import { type ColumnSet, hostColumns, poolColumns, taskColumns } from '../../../../cli/render/columns.ts';
import { chooseOutput, listTable, structured } from '../../../../cli/render/list.ts';
import { taskJson } from '../../../../server/protocol/taskJson.ts';
import { start, view } from '../fixture.ts';

const plain = coloursFor({ isTTY: false }, {});
const tasks = [
  view('p-1', 'RUNNING_SUBTASKS', { children: { total: 2, done: 1, failed: 0 } }),
  view('p-1/train', 'FAILURE', { labels: { stage: 'train', x: '1' } }),
];

function table<T>(
  items: readonly T[],
  set: ColumnSet<T>,
  given?: string,
  {
    header = true,
    width = null,
    colours = plain,
  }: { header?: boolean; width?: number | null; colours?: Colours } = {},
): string {
  const output = chooseOutput(given, set);
  if (output.kind !== 'table') throw new Error('not a table');
  return listTable(items, output.columns, { header, width, colours, now: start + 90_000 });
}

describe('lists', () => {
  it('have columns for a person', () => {
    expect(table(tasks, taskColumns)).toBe(
      [
        'ID         STATUS              CHILDREN  DURATION  AGE  POOL   REASON',
        'p-1        ◐ RUNNING_SUBTASKS       1/2     1m30s   1m  cpu-4',
        'p-1/train  ✗ FAILURE                          12s   1m  cpu-4  exited with 3',
        '',
      ].join('\n'),
    );
  });

  it('have the columns asked for, in that order, in any case', () => {
    expect(table(tasks, taskColumns, 'exitcode,ID,labels', { header: false })).toBe(
      ['   p-1', '3  p-1/train  stage=train,x=1', ''].join('\n'),
    );
    expect(table([], taskColumns, 'id', { header: false })).toBe('');
  });

  it('are coloured where colours are wanted', () => {
    const colours = coloursFor({ isTTY: true }, { TERM: 'xterm' });
    expect(table(tasks.slice(1), taskColumns, 'status', { colours, header: false })).toBe(
      '\x1b[31m✗ FAILURE\x1b[39m\n',
    );
  });

  it.each([
    ['stauts', 'no column "stauts"; did you mean status?'],
    ['id,', 'no column ""'],
    ['jsno', 'no column "jsno"; did you mean json?'],
  ])('refuse -o %j and name the nearest', (given, message) => {
    expect(() => chooseOutput(given, taskColumns)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => chooseOutput(given, taskColumns)).toThrow(message);
  });

  it('every column of the default and wide tables exists', () => {
    for (const set of [taskColumns, poolColumns, hostColumns]) {
      for (const name of [...set.normal, ...set.wide])
        expect(set.all.map((each) => each.name)).toContain(name);
    }
  });

  it('of pools and hosts', () => {
    const pool = {
      name: 'gpu-1',
      hosts: ['a', 'b'],
      cpus: 8,
      memory: 2 ** 35,
      gpus: 1,
      slots: null,
      running: 1,
      queued: 2,
      source: 'built in',
    };
    expect(table([pool], poolColumns)).toBe(
      'NAME   CPUS  MEMORY  GPUS  SLOTS  RUNNING  QUEUED  HOSTS\ngpu-1     8     32G     1               1       2  a,b\n',
    );
    const gpus = [
      { index: 0, name: 'A', memory: 1, tasks: ['p-1/train'], other: null },
      { index: 1, name: 'A', memory: 1, tasks: [], other: { user: 'ada', memory: 31 * 2 ** 30 } },
      { index: 2, name: 'A', memory: 1, tasks: [], other: null },
    ];
    const host = {
      name: 'local',
      state: 'online' as const,
      since: null,
      reason: null,
      question: null,
      cpus: 4,
      memory: 2 ** 33,
      gpus,
      usedCpus: 1.5,
      usedMemory: 2 ** 30,
      running: 1,
    };
    expect(table([host], hostColumns)).toBe(
      'NAME   STATE    CPUS  MEMORY  GPUS  RUNNING  REASON\nlocal  online  1.5/4   1G/8G   2/3        1\n',
    );
    expect(table([host], hostColumns, 'gpuUse')).toBe('GPUUSE\n0 p-1/train, 1 (ada 31G)\n');
  });
});

describe('JSON and YAML', () => {
  const fields = [
    'id',
    'name',
    'parent',
    'run',
    'status',
    'exitCode',
    'signal',
    'reason',
    'pool',
    'host',
    'attempt',
    'command',
    'cwd',
    'workspace',
    'labels',
    'priority',
    'dependencies',
    'children',
    'createdAt',
    'startedAt',
    'finishedAt',
    'resolvedAt',
  ];

  it('of a task are exactly the documented fields', async () => {
    const text = await structured('json', tasks.map(taskJson));
    expect(JSON.parse(text).map(Object.keys)).toEqual([fields, fields]);
    expect(JSON.parse(text)[0].children).toEqual({ total: 2, done: 1, failed: 0 });
  });

  it('keep bytes that are not UTF-8 apart in JSON', async () => {
    const text = await structured('json', taskJson(view('p-1', 'SUCCESS', { command: ['\udc80'] })));
    expect(text).toContain('\\udc80');
  });

  it('say the same', async () => {
    const { parse } = await import('yaml');
    expect(parse(await structured('yaml', tasks.map(taskJson)))).toEqual(tasks.map(taskJson));
  });
});

describe('colours', () => {
  it.each([
    [{ isTTY: true }, { TERM: 'xterm' }, true],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{ isTTY: false }, { TERM: 'xterm' }, false],
    [{ isTTY: true }, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{ isTTY: false }, { FORCE_COLOR: '1' }, true],
    [{ isTTY: true }, { FORCE_COLOR: '0' }, false],
  ])('on %j with %j: %s', (stream, env, wanted) => {
    expect(coloursFor(stream, env).red('x') !== 'x').toBe(wanted);
  });
});
