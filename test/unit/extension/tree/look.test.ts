import { describe, expect, it } from 'vitest';
import { momentText } from '../../../../extension/texts.ts';
import type { Entry } from '../../../../extension/tree/entries.ts';
import { filterOf, noChoice } from '../../../../extension/tree/filter.ts';
import { lookOf } from '../../../../extension/tree/look.ts';
import { unrepeated } from '../../../../extension/tree/sentences.ts';
import { shellText } from '../../../../extension/tree/shellText.ts';
import { TaskStore } from '../../../../extension/tree/taskStore.ts';
import { Unseen } from '../../../../extension/tree/unseen.ts';
import type { TaskView } from '../../../../server/protocol/tasks.ts';
import { english, task, told } from './support.ts';

const start = Date.parse('2024-05-06T07:08:09.000Z');
const later = (seconds: number) => new Date(start + seconds * 1_000).toISOString();

function entryOf(id: string, change: Partial<TaskView>): Entry {
  const store = new TaskStore();
  store.take(told([task('run'), task(id, change)]));
  return store.find(id) as Entry;
}

function describeTask(change: Partial<TaskView>, now = start, id = 'run/train'): string {
  const { label, description, icon } = lookOf(entryOf(id, change), now, english);
  return `$(${icon.name}) ${label}: ${description}`;
}

describe('how a task looks', () => {
  it('has status as icon and word, and how long it takes by whole seconds', () => {
    const running: Partial<TaskView> = { status: 'RUNNING', startedAt: later(0), attempt: 1 };
    expect(describeTask(running, start + 8_700)).toBe('$(loading~spin) train: running · 8s');
    expect(describeTask(running, start + 252_000)).toBe('$(loading~spin) train: running · 4m10s');
    expect(describeTask(running, start + 7_559_000)).toBe('$(loading~spin) train: running · 2h5m');
    const ended: Partial<TaskView> = { status: 'SUCCESS', startedAt: later(0), resolvedAt: later(1.25) };
    expect(describeTask(ended)).toBe('$(pass) train: succeeded · 1.3s');
  });

  it('has what waits, fails or is held say why', () => {
    expect(describeTask({ status: 'PENDING', reason: 'waits for process' })).toBe(
      '$(circle-outline) train: pending · waits for process',
    );
    expect(describeTask({ status: 'FAILURE', reason: 'exited with 3' })).toBe(
      '$(error) train: failed · exited with 3',
    );
    expect(describeTask({ status: 'CANCELLED', reason: 'cancelled' })).toBe(
      '$(stop-circle) train: cancelled',
    );
    const held = (reason: string) => describeTask({ status: 'PENDING', held: true, reason });
    expect(held('is held: `vctl task release x` lets it go')).toBe('$(debug-pause) train: held');
    expect(held('waits for process')).toBe('$(debug-pause) train: held · waits for process');
  });

  it('counts children on parents', () => {
    const children = { total: 120, done: 37, failed: 2 };
    expect(describeTask({ status: 'RUNNING_SUBTASKS', children })).toBe(
      '$(sync~spin) train: 37/120 · 2 failed · running sub-tasks',
    );
  });

  it('tells runs of one name apart by when they were submitted', () => {
    expect(describeTask({ createdAt: later(0) }, start, 'other-4k2m9')).toContain(momentText(start, start));
    expect(momentText(start, start)).not.toBe(momentText(start, start + 86_400_000));
  });

  it('shows the segment where the name does not tell it', () => {
    expect(describeTask({ name: 'train' }, start, 'run/train_2')).toContain('train_2');
    expect(describeTask({ name: 'a/b' }, start, 'run/a_b')).toContain(' a/b:');
  });

  it('says to menus what it can do, and to screen readers nothing that goes on', () => {
    const contextOf = (change: Partial<TaskView>) => lookOf(entryOf('run/x', change), start, english).context;
    expect(contextOf({ status: 'QUEUED' })).toBe('task cancel hold');
    expect(contextOf({ status: 'QUEUED', held: true })).toBe('task cancel release');
    expect(contextOf({ status: 'RUNNING', attempt: 1 })).toBe('task cancel log');
    expect(contextOf({ status: 'FAILURE', attempt: 1 })).toBe('task retry log');
    expect(contextOf({ status: 'SUCCESS', attempt: 1 })).toBe('task log');
    const running = entryOf('run/x', { status: 'RUNNING', startedAt: later(0) });
    expect(lookOf(running, start + 5_000, english).spoken).toBe('x, running');
  });
});

describe('the filter', () => {
  const fits = (choice: Partial<typeof noChoice>, change: Partial<TaskView>, folders: string[] = []) => {
    const entry = entryOf('run/Train-1', { pool: 'gpu-1', labels: { stage: 'fit' }, ...change });
    return filterOf({ ...noChoice, ...choice }, folders)?.(entry, entry.parent ?? entry);
  };

  it('goes by text or pattern, status, pool and label', () => {
    expect(filterOf(noChoice, [])).toBeNull();
    expect(['train', 'run/t', 'Train-?', 'xyz'].map((text) => fits({ text }, {}))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(fits({ statuses: ['FAILURE', 'QUEUED'] }, {})).toBe(true);
    expect(fits({ pools: ['gpu-1'] }, {})).toBe(true);
    expect(fits({ labels: ['stage=fit'] }, {})).toBe(true);
    expect(fits({ labels: ['stage=fit'], pools: ['cpu-1'] }, {})).toBe(false);
  });

  it('keeps to runs that were submitted in the workspace', () => {
    expect(fits({ workspaceOnly: true }, {}, ['/tmp'])).toBe(true);
    expect(fits({ workspaceOnly: true }, {}, ['/tm', '/tmp/below'])).toBe(false);
    const run = entryOf('run', { workspace: '/work/a' });
    const isOf = (folder: string) => filterOf({ ...noChoice, workspaceOnly: true }, [folder])?.(run, run);
    expect(['/work', '/work/a', '/work/a/b', '/wor'].map(isOf)).toEqual([true, true, false, false]);
  });
});

describe('failures that nobody has looked at', () => {
  const failure = (id: string, at: number): TaskView =>
    task(id, { status: 'FAILURE', attempt: 1, resolvedAt: later(at) });

  function make(before = start) {
    const unseen = new Unseen({ before, failures: [] });
    const store = new TaskStore((entry, isGone) => unseen.note(entry, isGone));
    const entries = (...ids: string[]) => ids.map((id) => store.find(id) as Entry);
    return { unseen, store, entries };
  }

  it('are those that failed themselves since the beginning', () => {
    const { unseen, store } = make();
    const parent = {
      status: 'FAILURE',
      children: { total: 1, done: 1, failed: 1 },
      resolvedAt: later(5),
    } as const;
    store.take(told([task('run', parent), failure('run/new', 5), failure('old', -5)]));
    expect(unseen.count).toBe(1);
    const again = { status: 'RUNNING_SUBTASKS', children: { total: 1, done: 0, failed: 0 } } as const;
    store.take(told([task('run', again), task('run/new', { status: 'RUNNING' })]));
    expect(unseen.count).toBe(0);
  });

  it('are a parent where no child failed by itself, as where a dependency names nothing', () => {
    const { unseen, store } = make();
    const children = { total: 2, done: 2, failed: 2 };
    const ended = { status: 'FAILURE', resolvedAt: later(5) } as const;
    store.take(told([task('typo', { ...ended, children }), task('typo/a', { status: 'FAILED_UPSTREAM' })]));
    expect(unseen.count).toBe(1);
    store.take(told([failure('typo/b', 5), task('typo', { ...ended, children })]));
    expect(unseen.count).toBe(1);
    expect(unseen.has(store.find('typo/b') as Entry)).toBe(true);
  });

  it('are looked at by looking at what is above them, and stay so', () => {
    const { unseen, store, entries } = make();
    store.take(told([task('run'), failure('run/a', 1), failure('run/b', 1), failure('run2', 1)]));
    expect(unseen.lookAt(entries('run'))).toBe(true);
    expect(unseen.lookAt(entries('run'))).toBe(false);
    expect(unseen.count).toBe(1);
    store.take(told([failure('run/a', 1)]));
    expect(unseen.count).toBe(1);
    const again = new Unseen(unseen.remember());
    again.note(entries('run/a')[0] as Entry, false);
    again.note(entries('run2')[0] as Entry, false);
    expect(again.count).toBe(1);
    again.lookAtAll(start + 10_000);
    again.note(entries('run2')[0] as Entry, false);
    expect(again.count).toBe(0);
  });

  it('in several windows are all remembered as looked at', () => {
    const { unseen, store, entries } = make();
    const other = new Unseen(unseen.remember());
    store.take(told([failure('run', 1), failure('run2', 1)]));
    for (const id of ['run', 'run2']) other.note(entries(id)[0] as Entry, false);
    unseen.lookAt(entries('run'));
    other.lookAt(entries('run2'));
    const next = new Unseen(other.remember(unseen.remember()));
    for (const id of ['run', 'run2']) next.note(entries(id)[0] as Entry, false);
    expect(next.count).toBe(0);
  });
});

it('a command is copied as a shell takes it', () => {
  expect(shellText(['python', 'a b.py', "it's", '', '--x=1'])).toBe(`python 'a b.py' 'it'\\''s' '' --x=1`);
});

it('an explanation says nothing twice', () => {
  const sentences = ['waits for a', '--after-success a: waits for a', '--after b: b has ended'];
  expect(unrepeated(sentences)).toEqual(sentences.slice(1));
});
