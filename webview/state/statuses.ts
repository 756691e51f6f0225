/** The statuses of a task as a person sees them: in words, as signs, and by theme colours. */
import { t } from '@vscode/l10n';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { numberText } from '../language.ts';

export type Status = TaskView['status'];

interface Look {
  readonly word: string;
  /** One character, so that the colour is never all that tells. */
  readonly sign: string;
  /** A theme variable of VS Code. */
  readonly colour: string;
  readonly done: boolean;
}

const looks: Readonly<Record<Status, Look>> = {
  RUNNING: { word: t('running'), sign: '▶', colour: '--vscode-charts-blue', done: false },
  RUNNING_SUBTASKS: { word: t('running sub-tasks'), sign: '▷', colour: '--vscode-charts-blue', done: false },
  STARTING: { word: t('starting'), sign: '↗', colour: '--vscode-charts-blue', done: false },
  QUEUED: { word: t('queued'), sign: '≡', colour: '--vscode-charts-yellow', done: false },
  PENDING: { word: t('waiting'), sign: '○', colour: '--vscode-descriptionForeground', done: false },
  FAILURE: { word: t('failed'), sign: '✗', colour: '--vscode-charts-red', done: true },
  FAILED_UPSTREAM: {
    word: t('failed upstream'),
    sign: '⊘',
    colour: '--vscode-symbolIcon-classForeground',
    done: true,
  },
  CANCELLED: { word: t('cancelled'), sign: '■', colour: '--vscode-charts-purple', done: true },
  SKIPPED: { word: t('skipped'), sign: '»', colour: '--vscode-descriptionForeground', done: true },
  SUCCESS: { word: t('done'), sign: '✓', colour: '--vscode-charts-green', done: true },
};

/** All statuses; what wants to be seen comes first. */
export const statuses = Object.keys(looks) as Status[];

export function lookOf(status: Status): Look {
  return looks[status];
}

/** How many tasks are in each status, by its place in `statuses`. */
export type Counts = number[];

export function noCounts(): Counts {
  return statuses.map(() => 0);
}

export function placeOf(status: Status): number {
  return places[status];
}

const places = Object.fromEntries(statuses.map((status, place) => [status, place])) as Record<Status, number>;

/** From what is done to what is still to come. */
export const inOrderOfWork: readonly Status[] = [
  'SUCCESS',
  'FAILURE',
  'FAILED_UPSTREAM',
  'CANCELLED',
  'SKIPPED',
  'RUNNING',
  'RUNNING_SUBTASKS',
  'STARTING',
  'QUEUED',
  'PENDING',
];

/** Such as `812 done · 3 failed · 185 waiting`. */
export function countsText(counts: Counts): string {
  const parts = inOrderOfWork.flatMap((status) => {
    const count = counts[placeOf(status)] ?? 0;
    return count === 0 ? [] : [`${numberText(count)} ${lookOf(status).word}`];
  });
  return parts.join(' · ');
}
