/** How long a task has taken, as short as it stays true. */
import { formatDuration } from '../../server/protocol/quantities.ts';
import type { Entry } from './entries.ts';

/**
 * Such as `8s`, `4m12s`, `2h5m` or `3d4h`; empty before the start. A task that runs is told by whole
 * seconds, and by five of them past a minute, so that it changes no more often than that. Nothing past an
 * hour is told by seconds.
 */
export function durationText({ startedAt, resolvedAt }: Entry, now: number): string {
  if (startedAt === null) return '';
  const seconds = Math.max(0, ((resolvedAt ?? now) - startedAt) / 1_000);
  const step = seconds < 60 ? 1 : 5;
  const whole = resolvedAt === null ? seconds - (seconds % step) : seconds;
  if (whole < 3_600) return formatDuration(whole);
  return formatDuration(whole < 86_400 ? whole - (whole % 60) : whole - (whole % 3_600));
}
