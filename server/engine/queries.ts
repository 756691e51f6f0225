/** Finding tasks: by what a person types, in pages, and as trees. */
import { globPattern, isGlob } from '../model/names.ts';
import { nearest } from '../model/nearest.ts';
import { statusOf } from '../model/outcome.ts';
import type { State } from '../model/state.ts';
import type { Task, TaskNumber } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { TaskQuery } from './service.ts';
import { poolName } from './views.ts';

/**
 * The task that `text` means: an id, else the newest run of that name, else the one task whose path ends so in the
 * newest run that has any. Else `notFound`.
 */
export function findTask(state: State, text: string): Task {
  const exact = state.tasks.get(state.byId.get(text) ?? 0);
  if (exact !== undefined) return exact;
  const [head = '', ...rest] = text.split('/');
  const run = state.tasks.get(state.scope(0).bearers(head).at(-1) ?? 0);
  if (run !== undefined) {
    const below = state.tasks.get(state.byId.get([run.id, ...rest].join('/')) ?? 0);
    if (below !== undefined) return below;
  }
  const [within, ...others] = endingSo(state, `/${text}`);
  if (within === undefined) {
    const hint = nearest(text, candidates(state));
    const question = hint === null ? '' : `; did you mean "${hint}"?`;
    throw new VbatchError('notFound', `there is no task "${text}"${question}`);
  }
  if (others.length > 0) {
    const [second] = others as [Task];
    const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
    throw new VbatchError('notFound', `"${text}" may be ${within.id}, ${second.id}${more}; say which one`);
  }
  return within;
}

/** The tasks of one run, the newest that has any, whose ids end with `end`. */
function endingSo(state: State, end: string): Task[] {
  let found: Task[] = [];
  for (const number of inOrder([...state.tasks.keys()], false)) {
    const run = found[0]?.run ?? 0;
    if (number < run) break;
    const task = state.task(number);
    if (!task.id.endsWith(end) || task.run < run) continue;
    if (task.run > run) found = [];
    found.push(task);
  }
  return found.reverse();
}

/** Ids and names of the newest runs and their children: enough to catch a slip of the finger. */
function candidates(state: State): Set<string> {
  const found = new Set<string>();
  for (const number of [...state.runs].slice(-200)) {
    const run = state.task(number);
    found.add(run.id).add(run.spec.name);
    for (const child of run.children.slice(0, 50)) {
      const { id, spec } = state.task(child);
      found.add(id).add(spec.name);
    }
  }
  return found;
}

/**
 * One page of what the query asks for, and the number to go on from. Children of one task come in
 * order of submission; runs and searches newest first.
 */
export function selectTasks(state: State, query: TaskQuery): { tasks: Task[]; next: string | null } {
  const below = query.below === undefined ? null : findTask(state, query.below);
  const parent = query.parent === undefined || query.parent === null ? null : findTask(state, query.parent);
  const ascending = parent !== null;
  const numbers =
    parent !== null ? parent.children : query.parent === null ? [...state.runs] : [...state.tasks.keys()];
  const after = query.after === undefined ? null : pagePosition(query.after);
  const matches = matcher(query);
  const tasks: Task[] = [];
  for (const number of inOrder(numbers, ascending)) {
    if (after !== null && (ascending ? number <= after : number >= after)) continue;
    const task = state.task(number);
    if (below !== null && !task.id.startsWith(`${below.id}/`)) continue;
    if (!matches(task)) continue;
    if (tasks.length === query.limit) return { tasks, next: String(tasks.at(-1)?.number) };
    tasks.push(task);
  }
  return { tasks, next: null };
}

function* inOrder(numbers: readonly TaskNumber[], ascending: boolean): Generator<TaskNumber> {
  if (ascending) yield* numbers;
  else for (let at = numbers.length - 1; at >= 0; at--) yield numbers[at] as TaskNumber;
}

function pagePosition(after: string): TaskNumber {
  if (!/^\d{1,15}$/.test(after)) {
    throw new VbatchError(
      'invalid',
      `"${after}" is not a place to go on from: pass the "next" of the page before`,
    );
  }
  return Number(after);
}

function matcher(query: TaskQuery): (task: Task) => boolean {
  const statuses = query.statuses === undefined ? null : new Set(query.statuses);
  const labels = Object.entries(query.labels ?? {});
  const text = textMatcher(query.text);
  return (task) =>
    (statuses === null || statuses.has(statusOf(task))) &&
    (query.pool === undefined || poolName(task.spec.pool) === query.pool) &&
    labels.every(([key, value]) => task.spec.labels[key] === value) &&
    text(task);
}

function textMatcher(text: string | undefined): (task: Task) => boolean {
  if (text === undefined || text === '') return () => true;
  if (isGlob(text)) {
    const pattern = globPattern(text);
    return (task) => pattern.test(task.spec.name) || pattern.test(task.id);
  }
  const plain = text.toLowerCase();
  return (task) => task.spec.name.toLowerCase().includes(plain) || task.id.toLowerCase().includes(plain);
}

/** A task and up to `limit` tasks in all, each right after its parent and elder siblings. */
export function treeOf(state: State, root: Task, limit: number): Task[] {
  const found: Task[] = [];
  const visit = (task: Task): void => {
    if (found.length === limit) return;
    found.push(task);
    for (const child of task.children) visit(state.task(child));
  };
  visit(root);
  return found;
}
