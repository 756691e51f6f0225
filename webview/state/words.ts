/** Tasks in words: for people who read, and for those who have it read to them. */
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Item } from './plan.ts';
import { countsText, lookOf } from './statuses.ts';

/** Such as `1 h 05 min`, `3 min 12 s`, `4.2 s` or `35 ms`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1_000;
  if (seconds < 0.1) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}

/** How long a task has run, or ran; null before it starts. */
export function ranFor(task: TaskView, now: number): number | null {
  if (task.startedAt === null) return null;
  const end = task.resolvedAt === null ? now : Date.parse(task.resolvedAt);
  return end - Date.parse(task.startedAt);
}

export function statusText({ status, exitCode, signal }: TaskView): string {
  const { word } = lookOf(status);
  if (status !== 'FAILURE') return word;
  if (signal !== null) return `${word}, ${signal}`;
  return exitCode === null || exitCode === 0 ? word : `${word}, exit code ${exitCode}`;
}

const kindWords = { success: 'success', fail: 'failure', any: 'any end' } as const;

export function dependencyText({ name, kind }: TaskView['dependencies'][number]): string {
  return `after ${kindWords[kind]} of ${name}`;
}

/** An item of the graph as one sentence. */
export function itemText(item: Item): string {
  switch (item.kind) {
    case 'ghost':
      return `${item.name}, ${item.awaited ? 'not submitted yet' : 'never submitted'}`;
    case 'stack': {
      const { members, name, counts } = item.stack;
      return `${members.length.toLocaleString('en')} × ${name}: ${countsText(counts)}`;
    }
    case 'task':
    case 'box': {
      const { task } = item.entry;
      const { total, done, failed } = task.children;
      return [
        task.name,
        statusText(task),
        ...(total > 0 ? [`${done} of ${total} sub-tasks done`] : []),
        ...(failed > 0 ? [`${failed} failed`] : []),
        ...task.dependencies.map(dependencyText),
      ].join(', ');
    }
  }
}
