/** A task as `-o json` prints it. */
import type { TaskView } from './tasks.ts';

export type TaskJson = Omit<TaskView, 'revision'>;

/** Exactly these fields, in this order, whatever else a view may hold. */
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
] as const satisfies readonly (keyof TaskJson)[];

export function taskJson(task: TaskView): TaskJson {
  return Object.fromEntries(fields.map((field) => [field, task[field]])) as unknown as TaskJson;
}
