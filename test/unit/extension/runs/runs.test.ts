import { describe, expect, it } from 'vitest';
import { elapsedSeconds, Runs, scriptFile } from '../../../../extension/runs/runs.ts';
import type { TaskView } from '../../../../server/protocol/tasks.ts';
import { runView } from '../runView.ts';

const since = Date.parse('2026-01-01T00:00:00.000Z');
const tasks = (...views: TaskView[]) => ({ type: 'tasks' as const, tasks: views, removed: [], whole: true });
const words = (runs: Runs, ...views: TaskView[]) =>
  runs.take(tasks(...views)).map(({ run, what }) => `${run.id} ${what}`);

describe('runs', () => {
  it('tells of an end once, and never of what lies below a run', () => {
    const runs = new Runs(since);
    words(runs, runView({ id: 'a' }));
    const end = runView({ id: 'a', status: 'SUCCESS' });
    expect(words(runs, end, runView({ id: 'a/b', parent: 'a', status: 'FAILURE' }))).toEqual(['a ended']);
    expect(words(runs, end)).toEqual([]);
    expect([...runs.all()].map(({ id }) => id)).toEqual(['a']);
  });

  it('does not tell of what had ended before the window was opened, but of a run too quick to be seen', () => {
    const runs = new Runs(since);
    const old = runView({ id: 'old', status: 'FAILURE', resolvedAt: '2025-12-31T00:00:00.000Z' });
    const quick = runView({ id: 'quick', status: 'FAILURE', resolvedAt: '2026-01-01T00:00:01.000Z' });
    expect(words(runs, old, quick)).toEqual(['quick ended']);
  });

  it('tells of what has ended while the server was gone', () => {
    const runs = new Runs(since);
    words(runs, runView({ id: 'a' }), runView({ id: 'b', status: 'SUCCESS' }));
    runs.take({ type: 'reset' });
    expect(
      words(runs, runView({ id: 'a', status: 'FAILURE' }), runView({ id: 'b', status: 'SUCCESS' })),
    ).toEqual(['a ended']);
  });

  it('tells again after a retry', () => {
    const runs = new Runs(since);
    words(runs, runView({ id: 'a', status: 'FAILURE' }));
    expect(words(runs, runView({ id: 'a' }))).toEqual(['a began']);
    expect(words(runs, runView({ id: 'a', status: 'SUCCESS' }))).toEqual(['a ended']);
  });

  it('finds the latest run of a script, however it was called', () => {
    const runs = new Runs(since);
    words(
      runs,
      runView({ id: 'one', command: ['./x.sh'], cwd: '/w', createdAt: '2026-01-01T00:00:01.000Z' }),
      runView({ id: 'two', command: ['bash', 'w/x.sh'], cwd: '/', createdAt: '2026-01-01T00:00:02.000Z' }),
      runView({ id: 'three', command: ['true'], cwd: '/w', createdAt: '2026-01-01T00:00:03.000Z' }),
    );
    expect(runs.latestOf('/w/x.sh')?.id).toBe('two');
    expect(runs.latestOf('/w/y.sh')).toBeUndefined();
  });

  it('forgets what was pruned', () => {
    const runs = new Runs(since);
    words(runs, runView({ id: 'a' }));
    runs.take({ type: 'tasks', tasks: [], removed: ['a'], whole: true });
    expect(runs.has('a')).toBe(false);
  });
});

describe('scriptFile', () => {
  it('is null for a command without a script', () => {
    expect(scriptFile({ command: ['bash', '-c', 'ls'], cwd: '/w' })).toBeNull();
  });
});

describe('elapsedSeconds', () => {
  it('counts to the end, and to now before that', () => {
    const startedAt = '2026-01-01T00:00:00.000Z';
    expect(elapsedSeconds({ startedAt, resolvedAt: '2026-01-01T00:01:00.000Z' }, since + 5_000)).toBe(60);
    expect(elapsedSeconds({ startedAt, resolvedAt: null }, since + 5_000)).toBe(5);
    expect(elapsedSeconds({ startedAt: null, resolvedAt: null }, since)).toBeNull();
  });
});
