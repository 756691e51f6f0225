import type { TaskView } from '../../../server/protocol/tasks.ts';

/** A run that runs, but for what is given. */
export function runView(given: Partial<TaskView> & Pick<TaskView, 'id'>): TaskView {
  return {
    name: given.id,
    parent: null,
    run: given.id,
    status: 'RUNNING',
    held: false,
    exitCode: null,
    signal: null,
    reason: null,
    pool: 'shell',
    host: 'local',
    attempt: 1,
    command: ['true'],
    cwd: '/w',
    workspace: null,
    labels: {},
    priority: 0,
    dependencies: [],
    children: { total: 0, done: 0, failed: 0 },
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: null,
    resolvedAt: given.status === undefined || given.status === 'RUNNING' ? null : '2026-01-01T00:00:10.000Z',
    revision: 1,
    ...given,
  };
}
