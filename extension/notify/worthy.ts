/** Which ends of runs a person is told of in this window. Pure. */
import { isAbsolute, relative } from 'node:path';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { hasFailed, type RunChange } from '../runs/runs.ts';

export type Wanted = 'all' | 'failures' | 'none';

/** The ended runs to speak of: those from this window's folders, as far as they are wanted. */
export function worthTelling(
  changes: readonly RunChange[],
  wanted: Wanted,
  folders: readonly string[],
): TaskView[] {
  if (wanted === 'none') return [];
  return changes
    .filter(
      ({ what, run }) =>
        what === 'ended' &&
        (wanted === 'all' || run.status === 'FAILURE' || run.status === 'FAILED_UPSTREAM'),
    )
    .map(({ run }) => run)
    .filter(({ cwd }) => folders.some((folder) => isWithin(cwd, folder)));
}

/** Whether a run failed for a reason that another try may mend. */
export function canRetry(run: TaskView): boolean {
  return hasFailed(run);
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}
