/** Which ends of runs a person is told of in this window. Pure. */
import type { TaskView } from '../../server/protocol/tasks.ts';
import { belongsTo } from '../runs/belonging.ts';
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
    .filter((run) => belongsTo(folders, run));
}
