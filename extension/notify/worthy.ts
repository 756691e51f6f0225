/** Which ends of runs a person is told of in this window. Pure. */
import { isAbsolute, relative } from 'node:path';
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { RunChange } from '../runs/runs.ts';

export type Wanted = 'all' | 'failures' | 'none';

/**
 * The ended runs to speak of: those from this window's folders, as far as they are wanted. Who has cancelled a run
 * knows.
 */
export function worthTelling(
  changes: readonly RunChange[],
  wanted: Wanted,
  folders: readonly string[],
): TaskView[] {
  if (wanted === 'none') return [];
  const isWanted = ({ status }: TaskView) =>
    status === 'FAILURE' || status === 'FAILED_UPSTREAM' || (wanted === 'all' && status !== 'CANCELLED');
  return changes
    .filter(({ what }) => what === 'ended')
    .map(({ run }) => run)
    .filter(isWanted)
    .filter(({ cwd }) => folders.some((folder) => isWithin(cwd, folder)));
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}
