/** The state of a run as one title, with a codicon. */
import * as vscode from 'vscode';
import { formatDuration } from '../../server/protocol/quantities.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { statusIcons, statusWord } from '../statuses.ts';
import { elapsedSeconds } from './runs.ts';

/** Icon and word; how many are done below it while it goes on, and how long it took once that is known. */
export function statusTitle(run: TaskView): string {
  const seconds = run.resolvedAt === null ? null : elapsedSeconds(run, 0);
  const duration = seconds === null ? '' : ` ${formatDuration(seconds)}`;
  const { total, done } = run.children;
  const progress = run.resolvedAt === null && total > 0 ? ` ${done}/${total}` : '';
  return `$(${statusIcons[run.status].name}) ${statusWord(run.status, vscode.l10n)}${progress}${duration}`;
}
