/** Tasks in words: for people who read, and for those who have it read to them. */
import { t } from '@vscode/l10n';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { numberText } from '../language.ts';
import type { Item } from './plan.ts';
import type { Stack } from './stacks.ts';
import { countsText, lookOf } from './statuses.ts';

/** Such as `1 h 05 min`, `3 min 12 s`, `4.2 s` or `35 ms`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1_000;
  if (seconds < 0.1) return t('{0} ms', Math.max(0, Math.round(milliseconds)));
  if (seconds < 10) return t('{0} s', seconds.toFixed(1));
  if (seconds < 60) return t('{0} s', Math.floor(seconds));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t('{0} min {1} s', minutes, two(seconds % 60));
  return t('{0} h {1} min', Math.floor(minutes / 60), two(minutes % 60));
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
  return exitCode === null || exitCode === 0 ? word : t('{0}, exit code {1}', word, exitCode);
}

export function dependencyText({ name, kind }: TaskView['dependencies'][number]): string {
  switch (kind) {
    case 'success':
      return t('after success of {0}', name);
    case 'fail':
      return t('after failure of {0}', name);
    case 'any':
      return t('after any end of {0}', name);
  }
}

/** Such as `3 of 4 done, 1 failed`; empty where there are none. */
export function childrenText({ children: { total, done, failed } }: TaskView): string {
  if (total === 0) return '';
  const all = [numberText(done), numberText(total)] as const;
  return failed === 0
    ? t('{0} of {1} done', ...all)
    : t('{0} of {1} done, {2} failed', ...all, numberText(failed));
}

/** The same where there is little room. */
export function progressText({ children: { total, done, failed } }: TaskView): string {
  if (total === 0) return '';
  const progress = `${numberText(done)}/${numberText(total)}`;
  return failed === 0 ? progress : t('{0} · {1} failed', progress, numberText(failed));
}

/** Such as `1,000 × process_file`. */
export function stackTitle({ members, name }: Stack): string {
  return `${numberText(members.length)} × ${name}`;
}

export function ghostNote(awaited: boolean): string {
  return awaited ? t('not submitted yet') : t('never submitted');
}

/** An item of the graph as one sentence. */
export function itemText(item: Item): string {
  switch (item.kind) {
    case 'ghost':
      return `${item.name}, ${ghostNote(item.awaited)}`;
    case 'stack':
      return `${stackTitle(item.stack)}: ${countsText(item.stack.counts)}`;
    case 'task':
    case 'box': {
      const { task } = item.entry;
      const { total, done, failed } = task.children;
      return [
        task.name,
        statusText(task),
        ...(total > 0 ? [t('{0} of {1} sub-tasks done', numberText(done), numberText(total))] : []),
        ...(failed > 0 ? [t('{0} failed', numberText(failed))] : []),
        ...task.dependencies.map(dependencyText),
      ].join(', ');
    }
  }
}
