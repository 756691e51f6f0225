/** What can be done with a task now; menus and pickers offer nothing else. */
import { isDone } from '../statuses.ts';
import type { Entry } from './entries.ts';

export const abilities = ['cancel', 'retry', 'hold', 'release', 'log'] as const;
export type Ability = (typeof abilities)[number];

export function can(ability: Ability, { status, held, attempt }: Entry): boolean {
  switch (ability) {
    case 'cancel':
      return !isDone(status);
    case 'retry':
      return isDone(status) && status !== 'SUCCESS' && status !== 'SKIPPED';
    case 'hold':
      return !held && (status === 'PENDING' || status === 'QUEUED');
    case 'release':
      return held && !isDone(status);
    case 'log':
      return attempt > 0;
  }
}
