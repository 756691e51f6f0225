/** Times for a person. The current time is a parameter, so that output can be tested. */
import { formatDuration } from '../../server/protocol/quantities.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';

/** How long the latest attempt and what it submitted have taken so far, in seconds; null before it starts. */
export function elapsedSeconds(task: TaskView, now: number): number | null {
  if (task.startedAt === null) return null;
  const end = task.resolvedAt === null ? now : Date.parse(task.resolvedAt);
  return Math.max(0, (end - Date.parse(task.startedAt)) / 1_000);
}

/** Elapsed time, or nothing before the start. */
export function elapsedText(task: TaskView, now: number): string {
  const seconds = elapsedSeconds(task, now);
  return seconds === null ? '' : formatDuration(seconds);
}

/** How long ago, in the largest unit that fits: `5s`, `3m`, `2h`, `4d`. */
export function ageText(time: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(time)) / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
