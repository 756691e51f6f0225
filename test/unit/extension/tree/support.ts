/** Tasks and messages for tests of the task tree. */

import { lookOf, type TaskNode } from '../../../../extension/tree/look.ts';
import type { StreamEvent } from '../../../../server/client/eventStreamState.ts';
import type { TaskView } from '../../../../server/protocol/tasks.ts';
import { freshTask } from '../../../support/fakeEngine.ts';

export function task(id: string, change: Partial<TaskView> = {}): TaskView {
  return { ...freshTask(id), ...change };
}

export function told(tasks: readonly TaskView[], removed: readonly string[] = [], whole = true): StreamEvent {
  return { type: 'tasks', tasks, removed, whole };
}

/** A run with so many children, named by number. */
export function fanOut(id: string, size: number, change: (place: number) => Partial<TaskView> = () => ({})) {
  const run = task(id, { status: 'RUNNING_SUBTASKS', children: { total: size, done: 0, failed: 0 } });
  return [run, ...Array.from({ length: size }, (_each, place) => task(`${id}/${place}`, change(place)))];
}

/** Texts of VS Code's l10n, in English. */
export const english = {
  t: (message: string, ...values: (string | number)[]) =>
    message.replace(/\{(\d)\}/g, (_all, at: string) => String(values[Number(at)])),
};

export function labels(nodes: readonly TaskNode[]): string[] {
  return nodes.map((node) => {
    const { label, description } = lookOf(node, 0, english);
    return node.kind === 'task' ? label : `${label}: ${description}`;
  });
}
