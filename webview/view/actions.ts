/** What can be done to a task, by what state it is in. */

import { t } from '@vscode/l10n';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { button } from '../controls.ts';
import { type Link, taskPath } from '../link/link.ts';
import { lookOf } from '../state/statuses.ts';

type Action = 'cancel' | 'retry' | 'hold' | 'release';

const words: Readonly<Record<Action, string>> = {
  cancel: t('Cancel'),
  retry: t('Retry'),
  hold: t('Hold'),
  release: t('Release'),
};

export function actionsFor({ status, reason, children }: TaskView): Action[] {
  if (lookOf(status).done) {
    const hasFailed = status !== 'SUCCESS' && status !== 'SKIPPED';
    return hasFailed || children.failed > 0 ? ['retry'] : [];
  }
  const waits = status === 'PENDING' || status === 'QUEUED';
  if (!waits) return ['cancel'];
  return reason?.startsWith('is held') === true ? ['cancel', 'release'] : ['cancel', 'hold'];
}

/** Buttons for them. What comes of it is told as a sentence. */
export function actionButtons(link: Link, task: TaskView, told: (sentence: string) => void): HTMLElement[] {
  return actionsFor(task).map((action) => {
    const made = button(words[action], () => {
      link.request<{ message: string }>('POST', `${taskPath(task.id)}/${action}`).then(
        ({ message }) => told(message),
        (error: Error) => told(error.message),
      );
    });
    made.setAttribute('aria-label', `${words[action]} ${task.name}`);
    return made;
  });
}
