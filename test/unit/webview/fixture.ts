/** Runs for the tests of the page's pure parts. */
import type { TaskView } from '../../../server/protocol/tasks.ts';
import { applyEvent, noTasks, type Tasks } from '../../../webview/state/tasks.ts';
import { view } from '../cli/fixture.ts';

type Dependencies = TaskView['dependencies'];

/**
 * Such as `success:a fail:b`; what nobody bears yet as `any:?c`. What was found comes behind a `=`, with commas: in
 * `success:a=a_2` it is the child a_2; and behind a `+`, how many more there are.
 */
export function after(text: string): Dependencies {
  if (text === '') return [];
  return text.split(' ').map((each) => {
    const [, kind, wanted, name = '', found = name, more = '0'] =
      /^(\w+):(\??)([^=]+)(?:=([^+]*)(?:\+(\d+))?)?$/.exec(each) ?? [];
    const tasks = wanted === '?' || found === '' ? [] : found.split(',').map((child) => `r/${child}`);
    return {
      kind: kind as Dependencies[number]['kind'],
      name,
      state: wanted === '?' ? 'unknown' : 'waiting',
      tasks,
      count: tasks.length + Number(more),
    };
  });
}

export function child(name: string, dependencies = '', rest: Partial<TaskView> = {}): TaskView {
  return view(`r/${name}`, 'PENDING', { name, command: [name], dependencies: after(dependencies), ...rest });
}

/** A run `r` with these children. */
export function runOf(children: readonly TaskView[]): Tasks {
  const tasks = noTasks();
  tell(tasks, [view('r', 'RUNNING', { name: 'r' }), ...children]);
  return tasks;
}

export function tell(tasks: Tasks, changed: readonly TaskView[], removed: readonly string[] = []) {
  return applyEvent(tasks, { type: 'tasks', tasks: changed, removed, whole: true });
}
