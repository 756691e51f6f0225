/** The hierarchy of tasks, drawn with lines, with big fan-outs folded. */
import { segmentOf } from '../../server/model/naming.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Colours } from './colours.ts';
import { groupBy } from './groups.ts';
import { isDone, isFailed, statusIcon, statusStyle, statusText } from './status.ts';
import { type Cell, type TableColumn, tableLines } from './table.ts';
import { elapsedText } from './times.ts';

export interface TreeOptions {
  /** More siblings than this in one state are folded into a line; Infinity folds nothing. */
  foldAbove: number;
  width: number | null;
  colours: Colours;
  now: number;
}

const columns: readonly TableColumn[] = [
  { header: 'TASK' },
  { header: 'STATUS' },
  { header: 'CHILDREN', align: 'right' },
  { header: 'DURATION', align: 'right' },
  { header: 'REASON' },
];

/**
 * One line a task, without line ends.
 * @param tasks parents before children, siblings in order of submission. One whose parent is not
 *   among them is drawn as a root, under its full id.
 */
export function treeLines(tasks: readonly TaskView[], options: TreeOptions): string[] {
  const known = new Set(tasks.map((task) => task.id));
  const children = groupBy(tasks, (task) =>
    task.parent !== null && known.has(task.parent) ? task.parent : null,
  );
  const rows: Cell[][] = [];
  for (const root of children.get(null) ?? []) {
    rows.push(taskRow(root, root.id, options));
    addChildren(root, '', children, rows, options);
  }
  return tableLines(columns, rows, { header: false, width: options.width });
}

function addChildren(
  parent: TaskView,
  indent: string,
  children: ReadonlyMap<string | null, TaskView[]>,
  rows: Cell[][],
  options: TreeOptions,
): void {
  const { shown, folded } = folds(children.get(parent.id) ?? [], options.foldAbove);
  const last = shown.length + folded.length - 1;
  for (const [at, task] of shown.entries()) {
    rows.push(taskRow(task, `${indent}${at === last ? '└─ ' : '├─ '}${label(task)}`, options));
    addChildren(task, `${indent}${at === last ? '   ' : '│  '}`, children, rows, options);
  }
  for (const [at, group] of folded.entries()) {
    const branch = shown.length + at === last ? '└─ ' : '├─ ';
    rows.push([
      { text: `${indent}${branch}… ${group.length} ${group.length === 1 ? 'task' : 'tasks'}` },
      foldedStatus(group, options.colours),
    ]);
  }
}

/** Siblings worth a line each, and groups of those that are too many: succeeded, failed, waiting. */
function folds(
  siblings: readonly TaskView[],
  foldAbove: number,
): { shown: TaskView[]; folded: TaskView[][] } {
  const groups = groupBy(siblings, ({ status }) => {
    if (isFailed(status)) return 'failed';
    if (isDone(status)) return 'succeeded';
    return status === 'PENDING' || status === 'QUEUED' ? 'waiting' : 'active';
  });
  const folded = (['succeeded', 'failed', 'waiting'] as const)
    .map((kind) => groups.get(kind) ?? [])
    .filter((group) => group.length > foldAbove);
  const hidden = new Set(folded.flat());
  return { shown: siblings.filter((task) => !hidden.has(task)), folded };
}

function foldedStatus(group: readonly TaskView[], colours: Colours): Cell {
  const counts = [...groupBy(group, (task) => task.status)].map(([status, those]) => ({
    status,
    text: `${statusIcon(status)} ${those.length} ${status}`,
  }));
  const [first] = counts;
  const style = counts.length === 1 && first ? statusStyle(first.status, colours) : undefined;
  return { text: counts.map(({ text }) => text).join(', '), style };
}

function taskRow(task: TaskView, name: string, { colours, now }: TreeOptions): Cell[] {
  const { total, done, failed } = task.children;
  return [
    { text: name },
    { text: statusText(task.status), style: statusStyle(task.status, colours) },
    { text: total === 0 ? '' : `${done}/${total}`, style: failed > 0 ? colours.red : undefined },
    { text: elapsedText(task, now) },
    { text: task.reason ?? '', style: colours.dim },
  ];
}

/** The name, with the id's segment wherever that cannot be guessed from it. */
function label(task: TaskView): string {
  const segment = task.id.slice(task.id.lastIndexOf('/') + 1);
  if (segment === segmentOf(task.name)) return task.name;
  return segment.startsWith(task.name) ? segment : `${task.name} (${segment})`;
}
