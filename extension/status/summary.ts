/** What the status bar says. Pure. */
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { ConnectionState } from '../connection/link.ts';
import { isDone } from '../statuses.ts';

export type Summary =
  | { readonly kind: 'idle' | 'connecting' }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'runs'; readonly active: number };

export function summarize(state: ConnectionState, runs: Iterable<TaskView>): Summary {
  if (state.kind === 'lost') return { kind: 'lost', reason: state.reason };
  if (state.kind !== 'connected') return { kind: state.kind };
  let active = 0;
  for (const run of runs) if (!isDone(run.status)) active += 1;
  return { kind: 'runs', active };
}
