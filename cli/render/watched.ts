/** What `vctl task watch` shows of a changing tree. */
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Colours } from './colours.ts';
import { statusStyle, statusText } from './status.ts';
import { harmless } from './text.ts';
import { elapsedText } from './times.ts';
import { type TreeOptions, treeLines } from './tree.ts';

/** Smaller and smaller limits on siblings in one state, until a tree fits the screen. */
const folds = [20, 5, 1, 0];

/** The tree in at most `rows` lines: folded as little as that needs, and cut where folding is not enough. */
export function fittingTree(
  tasks: readonly TaskView[],
  rows: number,
  options: Omit<TreeOptions, 'foldAbove'>,
): string[] {
  let lines: string[] = [];
  for (const foldAbove of folds) {
    lines = treeLines(tasks, { ...options, foldAbove });
    if (lines.length <= rows) return lines;
  }
  const kept = Math.max(0, rows - 1);
  return [...lines.slice(0, kept), options.colours.dim(`… ${lines.length - kept} more lines`)];
}

/** A line for a change of status, for where nothing can be redrawn; null where the status is the same. */
export function changeLine(
  before: TaskView | undefined,
  task: TaskView,
  colours: Colours,
  now: number,
): string | null {
  if (before?.status === task.status && before.attempt === task.attempt) return null;
  const time = new Date(now).toISOString().slice(11, 19);
  const parts = [
    time,
    task.id,
    statusStyle(task.status, colours)(statusText(task.status)),
    task.resolvedAt === null ? '' : elapsedText(task, now),
    harmless(task.reason ?? ''),
  ];
  return parts.filter((part) => part !== '').join('  ');
}
