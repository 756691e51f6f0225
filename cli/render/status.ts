/** How a status looks: an icon and the word, coloured. The word alone must be enough. */
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Colours, Style } from './colours.ts';

type Status = TaskView['status'];

interface Look {
  icon: string;
  colour: 'dim' | 'cyan' | 'blue' | 'green' | 'red' | 'yellow';
}

const looks: Record<Status, Look> = {
  PENDING: { icon: '○', colour: 'dim' },
  QUEUED: { icon: '◌', colour: 'cyan' },
  STARTING: { icon: '◔', colour: 'blue' },
  RUNNING: { icon: '●', colour: 'blue' },
  RUNNING_SUBTASKS: { icon: '◐', colour: 'blue' },
  SUCCESS: { icon: '✓', colour: 'green' },
  FAILURE: { icon: '✗', colour: 'red' },
  FAILED_UPSTREAM: { icon: '⊘', colour: 'red' },
  SKIPPED: { icon: '–', colour: 'dim' },
  CANCELLED: { icon: '⊖', colour: 'yellow' },
};

export function statusIcon(status: Status): string {
  return looks[status].icon;
}

/** Icon and word. */
export function statusText(status: Status): string {
  return `${looks[status].icon} ${status}`;
}

export function statusStyle(status: Status, colours: Colours): Style {
  return colours[looks[status].colour];
}

const doneStatuses: ReadonlySet<Status> = new Set([
  'SUCCESS',
  'FAILURE',
  'FAILED_UPSTREAM',
  'SKIPPED',
  'CANCELLED',
]);

/** Whether a task of this status has ended for good, short of a retry. */
export function isDone(status: Status): boolean {
  return doneStatuses.has(status);
}

/** Whether it ended in a way that fails its parent (R14). */
export function isFailed(status: Status): boolean {
  return isDone(status) && status !== 'SUCCESS' && status !== 'SKIPPED';
}
