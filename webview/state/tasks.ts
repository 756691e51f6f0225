/** The tasks of one run as the event stream tells them, with what follows from each change. */
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { type Counts, lookOf, placeOf } from './statuses.ts';

/** A task in the page. Stays the same object for as long as the task is known. */
export interface Entry {
  task: TaskView;
  readonly children: Entry[];
  /** Of the stack that it stands in, if it does. Kept up to date with its status. */
  counts: Counts | null;
}

export interface Tasks {
  readonly byId: Map<string, Entry>;
  readonly runs: Entry[];
  /** Whether nothing is missing that the server knew when it was asked. */
  whole: boolean;
  /** Why what is shown may be out of date; null where it is not. */
  trouble: string | null;
}

/** What an event has changed. */
export interface Change {
  /** Tasks that came, went, or changed in a way that may move others: the picture has to be laid out anew. */
  readonly structure: boolean;
  readonly changed: readonly Entry[];
}

export function noTasks(): Tasks {
  return { byId: new Map(), runs: [], whole: false, trouble: null };
}

const nothing: Change = { structure: false, changed: [] };

/** Takes in an event of the stream. */
export function applyEvent(tasks: Tasks, event: StreamEvent): Change {
  switch (event.type) {
    case 'reset':
      tasks.byId.clear();
      tasks.runs.length = 0;
      tasks.whole = false;
      return { structure: true, changed: [] };
    case 'tasks':
      return applyTasks(tasks, event.tasks, event.removed, event.whole);
    case 'disconnected':
      tasks.trouble = event.reason;
      return nothing;
    case 'failed':
      tasks.trouble = event.error.message;
      return nothing;
    case 'hosts':
      return nothing;
  }
}

function applyTasks(
  tasks: Tasks,
  changed: readonly TaskView[],
  removed: readonly string[],
  whole: boolean,
): Change {
  let structure = whole && !tasks.whole;
  tasks.whole ||= whole;
  tasks.trouble = null;
  const gone = new Set(removed);
  for (const id of removed) {
    const entry = tasks.byId.get(id);
    if (entry === undefined) continue;
    structure = true;
    tasks.byId.delete(id);
    if (entry.task.parent === null || !gone.has(entry.task.parent)) drop(siblingsOf(tasks, entry), entry);
  }
  const entries: Entry[] = [];
  for (const task of changed) {
    const known = tasks.byId.get(task.id);
    if (known === undefined) {
      const entry: Entry = { task, children: [], counts: null };
      tasks.byId.set(task.id, entry);
      siblingsOf(tasks, entry).push(entry);
      entries.push(entry);
      structure = true;
    } else {
      structure ||= isMoved(known.task, task);
      count(known, task);
      known.task = task;
      entries.push(known);
    }
  }
  return { structure, changed: entries };
}

/** Keeps the bar of a stack right without looking at all of its tasks. */
function count({ counts, task: before }: Entry, after: TaskView): void {
  if (counts === null || before.status === after.status) return;
  const [from, to] = [placeOf(before.status), placeOf(after.status)];
  counts[from] = (counts[from] ?? 0) - 1;
  counts[to] = (counts[to] ?? 0) + 1;
}

function isMoved(before: TaskView, after: TaskView): boolean {
  return (
    (before.children.total === 0) !== (after.children.total === 0) ||
    before.name !== after.name ||
    before.dependencies.length !== after.dependencies.length ||
    // A ghost that nobody waits for any more looks different.
    (lookOf(before.status).done !== lookOf(after.status).done &&
      after.dependencies.some(({ state }) => state === 'unknown')) ||
    before.dependencies.some(
      ({ state, count }, at) =>
        (state === 'unknown') !== (after.dependencies[at]?.state === 'unknown') ||
        count !== after.dependencies[at]?.count,
    )
  );
}

export function siblingsOf(tasks: Tasks, { task }: Entry): Entry[] {
  return (task.parent === null ? undefined : tasks.byId.get(task.parent)?.children) ?? tasks.runs;
}

function drop(list: Entry[], entry: Entry): void {
  const at = list.indexOf(entry);
  if (at >= 0) list.splice(at, 1);
}
