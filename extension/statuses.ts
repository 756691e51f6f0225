/** The statuses of tasks as people see them. Icons are codicons, colours are those of the theme, both by name. */
import type { TaskView } from '../server/protocol/tasks.ts';
import type { Texts } from './texts.ts';

export type Status = TaskView['status'];

export interface Icon {
  readonly name: string;
  /** Null for that of text. */
  readonly colour: string | null;
}

/** Whether a task of this status has ended for good, short of a retry. */
export function isDone(status: Status): boolean {
  switch (status) {
    case 'SUCCESS':
    case 'FAILURE':
    case 'FAILED_UPSTREAM':
    case 'SKIPPED':
    case 'CANCELLED':
      return true;
    default:
      return false;
  }
}

export const statusIcons: Readonly<Record<Status, Icon>> = {
  PENDING: { name: 'circle-outline', colour: null },
  QUEUED: { name: 'watch', colour: 'testing.iconQueued' },
  STARTING: { name: 'loading~spin', colour: 'charts.blue' },
  RUNNING: { name: 'loading~spin', colour: 'charts.blue' },
  RUNNING_SUBTASKS: { name: 'sync~spin', colour: 'charts.blue' },
  SUCCESS: { name: 'pass', colour: 'testing.iconPassed' },
  FAILURE: { name: 'error', colour: 'testing.iconFailed' },
  FAILED_UPSTREAM: { name: 'circle-slash', colour: 'testing.iconFailed' },
  SKIPPED: { name: 'debug-step-over', colour: 'testing.iconSkipped' },
  CANCELLED: { name: 'stop-circle', colour: 'charts.yellow' },
};

export function statusWord(status: Status, l10n: Texts): string {
  switch (status) {
    case 'PENDING':
      return l10n.t('pending');
    case 'QUEUED':
      return l10n.t('queued');
    case 'STARTING':
      return l10n.t('starting');
    case 'RUNNING':
      return l10n.t('running');
    case 'RUNNING_SUBTASKS':
      return l10n.t('running sub-tasks');
    case 'SUCCESS':
      return l10n.t('succeeded');
    case 'FAILURE':
      return l10n.t('failed');
    case 'FAILED_UPSTREAM':
      return l10n.t('failed upstream');
    case 'SKIPPED':
      return l10n.t('skipped');
    case 'CANCELLED':
      return l10n.t('cancelled');
  }
}
