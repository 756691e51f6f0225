/** What there is to say about an attempt whose log is shown, besides the log. */
import type { HostView, TaskDetail } from '../../server/protocol/tasks.ts';

export type AttemptState =
  | { readonly kind: 'unknown' }
  /** Its command has not begun. `reason` says why it waits, as a sentence. */
  | { readonly kind: 'waiting'; readonly reason: string | null }
  /** It never began, and will not. */
  | { readonly kind: 'never'; readonly reason: string | null }
  | { readonly kind: 'running'; readonly host: string }
  /** It goes on, out of reach. `since` is ISO 8601. */
  | { readonly kind: 'unreachable'; readonly host: string; readonly since: string | null }
  /** It has ended, and what it wrote is still on its way from its host. */
  | { readonly kind: 'fetching'; readonly host: string }
  /** It has ended, and the rest of what it wrote is on a host that is out of reach. */
  | { readonly kind: 'cut'; readonly host: string; readonly since: string | null }
  | {
      readonly kind: 'ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly reason: string | null;
    };

/** @param whole whether all that it has written so far can be read. */
export function attemptState(
  task: TaskDetail | null,
  number: number,
  hosts: readonly HostView[],
  whole: boolean,
): AttemptState {
  if (task === null) return { kind: 'unknown' };
  const attempt = task.attempts.find((each) => each.number === number);
  if (attempt === undefined) {
    return { kind: task.resolvedAt === null ? 'waiting' : 'never', reason: task.reason };
  }
  const { host: name, state, exitCode, signal, reason } = attempt;
  const host = hosts.find((each) => each.name === name);
  const isAway = host !== undefined && (host.state === 'unreachable' || host.state === 'disconnected');
  const since = host?.since ?? null;
  if (state === 'starting')
    return isAway ? { kind: 'unreachable', host: name, since } : { kind: 'waiting', reason: task.reason };
  if (state === 'running')
    return isAway ? { kind: 'unreachable', host: name, since } : { kind: 'running', host: name };
  if (!whole) return isAway ? { kind: 'cut', host: name, since } : { kind: 'fetching', host: name };
  return { kind: 'ended', exitCode, signal, reason };
}
