import { describe, expect, it } from 'vitest';
import { Failures } from '../../../../extension/logs/failures.ts';
import type { TaskView } from '../../../../server/protocol/tasks.ts';
import { freshTask } from '../../../support/fakeEngine.ts';

/** A run of a script that began at some hour. */
function run(id: string, hour: number, change: Partial<TaskView> = {}): TaskView {
  const createdAt = `2024-05-06T${String(hour).padStart(2, '0')}:00:00.000Z`;
  return { ...freshTask(id), command: ['./train.sh'], createdAt, ...change };
}

const failed: Partial<TaskView> = { status: 'FAILURE', attempt: 1, exitCode: 1 };

/** What is done when these tasks are told of at once. */
function told(failures: Failures, tasks: TaskView[], removed: string[] = []): string[] {
  const effects = failures.take({ type: 'tasks', tasks, removed, whole: true });
  return effects.map((effect) => (effect.type === 'read' ? `read ${effect.task.id}` : `forget ${effect.id}`));
}

describe('errors are read', () => {
  it('of what has failed itself, once for each attempt', () => {
    const failures = new Failures();
    const child = { ...freshTask('a-1/fit'), ...failed };
    expect(told(failures, [run('a-1', 1), child])).toEqual(['read a-1/fit']);
    expect(told(failures, [child])).toEqual([]);
    expect(told(failures, [{ ...child, attempt: 2 }])).toEqual(['read a-1/fit']);
    // A parent fails because of its child.
    expect(told(failures, [run('a-1', 1, { ...failed, exitCode: 0 })])).toEqual([]);
    expect(told(failures, [{ ...freshTask('a-1/b'), ...failed, exitCode: null, signal: 'SIGSEGV' }])).toEqual(
      ['read a-1/b'],
    );
  });

  it('of the newest run of a script alone, whatever the order in which they are told', () => {
    const failures = new Failures();
    expect(told(failures, [run('new-1', 5, failed), run('old-1', 2, failed)])).toEqual(['read new-1']);
    expect(told(failures, [run('other-1', 1, { ...failed, command: ['./eval.sh'] })])).toEqual([
      'read other-1',
    ]);
  });

  it('of some of a great many', () => {
    const failures = new Failures();
    const children = Array.from({ length: 1_000 }, (_, i) => ({ ...freshTask(`a-1/${i}`), ...failed }));
    expect(told(failures, [run('a-1', 1), ...children])).toHaveLength(20);
  });
});

describe('errors are forgotten', () => {
  it('when a newer run of the same script begins', () => {
    const failures = new Failures();
    told(failures, [
      run('a-1', 1, failed),
      { ...freshTask('a-1/x'), ...failed },
      run('b-1', 1, { ...failed, cwd: '/b' }),
    ]);
    expect(told(failures, [run('a-2', 2)])).toEqual(['forget a-1', 'forget a-1/x']);
  });

  it('when the task runs again, or is removed', () => {
    const failures = new Failures();
    const child = { ...freshTask('a-1/x'), ...failed };
    told(failures, [run('a-1', 1, failed), child]);
    expect(told(failures, [{ ...child, status: 'RUNNING' }])).toEqual(['forget a-1/x']);
    expect(told(failures, [], ['a-1', 'a-1/x'])).toEqual(['forget a-1']);
  });

  it('not because the connection was lost', () => {
    const failures = new Failures();
    told(failures, [run('a-1', 1, failed)]);
    expect(failures.take({ type: 'reset' })).toEqual([]);
    expect(told(failures, [run('a-1', 1, failed)])).toEqual([]);
    expect(told(failures, [run('a-2', 2)])).toEqual(['forget a-1']);
  });
});
