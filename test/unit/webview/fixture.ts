/** Runs for the tests of the page's pure parts. */
import type { TaskView } from '../../../server/protocol/tasks.ts';
import { applyEvent, noTasks, type Tasks } from '../../../webview/state/tasks.ts';
import { view } from '../cli/fixture.ts';

type Dependencies = TaskView['dependencies'];

/** Such as `success:a fail:b`; what nobody bears yet as `any:?c`. */
export function after(text: string): Dependencies {
  if (text === '') return [];
  return text.split(' ').map((each) => {
    const [kind, name = ''] = each.split(':');
    const state = name.startsWith('?') ? 'unknown' : 'waiting';
    return { kind: kind as Dependencies[number]['kind'], name: name.replace('?', ''), state };
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
