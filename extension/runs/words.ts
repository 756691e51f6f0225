/** Statuses in a person's words, the same wherever the window shows one. */
import * as vscode from 'vscode';
import { formatDuration } from '../../server/protocol/quantities.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { elapsedSeconds } from './runs.ts';

type Status = TaskView['status'];

/** A codicon for each status. */
const icons: Record<Status, string> = {
  PENDING: 'circle-outline',
  QUEUED: 'clock',
  STARTING: 'loading~spin',
  RUNNING: 'sync~spin',
  RUNNING_SUBTASKS: 'sync~spin',
  SUCCESS: 'pass',
  FAILURE: 'error',
  FAILED_UPSTREAM: 'circle-slash',
  SKIPPED: 'debug-step-over',
  CANCELLED: 'stop-circle',
};

/** Icon and word, with the duration once it is known for good. */
export function statusTitle(run: TaskView): string {
  const seconds = run.resolvedAt === null ? null : elapsedSeconds(run, 0);
  const duration = seconds === null ? '' : ` ${formatDuration(seconds)}`;
  const { total, done } = run.children;
  const progress = run.resolvedAt === null && total > 0 ? ` ${done}/${total}` : '';
  return `$(${icons[run.status]}) ${statusWord(run.status)}${progress}${duration}`;
}

export function statusWord(status: Status): string {
  switch (status) {
    case 'PENDING':
      return vscode.l10n.t('pending');
    case 'QUEUED':
      return vscode.l10n.t('queued');
    case 'STARTING':
      return vscode.l10n.t('starting');
    case 'RUNNING':
      return vscode.l10n.t('running');
    case 'RUNNING_SUBTASKS':
      return vscode.l10n.t('running subtasks');
    case 'SUCCESS':
      return vscode.l10n.t('succeeded');
    case 'FAILURE':
      return vscode.l10n.t('failed');
    case 'FAILED_UPSTREAM':
      return vscode.l10n.t('failed upstream');
    case 'SKIPPED':
      return vscode.l10n.t('skipped');
    case 'CANCELLED':
      return vscode.l10n.t('cancelled');
  }
}
