/** Where a person chooses what the tree shows: a menu of the filter's parts, and a list for each. */
import * as vscode from 'vscode';
import { type Status, statusWord } from '../statuses.ts';

import { type Choice, noChoice } from './filter.ts';
import type { TaskStore } from './taskStore.ts';

const statuses: readonly Status[] = [
  'FAILURE',
  'FAILED_UPSTREAM',
  'CANCELLED',
  'RUNNING',
  'RUNNING_SUBTASKS',
  'STARTING',
  'QUEUED',
  'PENDING',
  'SUCCESS',
  'SKIPPED',
];

/** A new choice, or the one of before where the person leaves the menu. */
export async function chooseFilter(store: TaskStore, choice: Choice): Promise<Choice> {
  const { l10n } = vscode;
  const parts: (vscode.QuickPickItem & { next: () => Promise<Choice> })[] = [
    {
      label: `$(search) ${l10n.t('Text')}`,
      description: choice.text,
      next: async () => ({ ...choice, text: await askText(choice.text) }),
    },
    {
      label: `$(pulse) ${l10n.t('Status')}`,
      description: choice.statuses.map((status) => statusWord(status, l10n)).join(', '),
      next: async () => ({ ...choice, statuses: await pickStatuses(choice.statuses) }),
    },
    {
      label: `$(server-environment) ${l10n.t('Pool')}`,
      description: choice.pools.join(', '),
      next: async () => ({
        ...choice,
        pools: await pickSome(l10n.t('Only tasks of these pools'), knownPools(store), choice.pools),
      }),
    },
    {
      label: `$(tag) ${l10n.t('Label')}`,
      description: choice.labels.join(', '),
      next: async () => ({
        ...choice,
        labels: await pickSome(
          l10n.t('Only tasks with one of these labels'),
          knownLabels(store),
          choice.labels,
        ),
      }),
    },
    {
      label: `${choice.workspaceOnly ? '$(check)' : '$(folder)'} ${l10n.t('This workspace only')}`,
      description: choice.workspaceOnly ? l10n.t('on') : '',
      next: async () => ({ ...choice, workspaceOnly: !choice.workspaceOnly }),
    },
    { label: `$(clear-all) ${l10n.t('Show everything')}`, next: async () => noChoice },
  ];
  const picked = await vscode.window.showQuickPick(parts, { title: l10n.t('Filter tasks by') });
  return picked === undefined ? choice : await picked.next();
}

/** The filter in a few words, for the head of the view; empty where everything is shown. */
export function choiceText({ text, statuses: wanted, pools, labels, workspaceOnly }: Choice): string {
  const { l10n } = vscode;
  const parts = [
    text === '' ? '' : `"${text}"`,
    wanted.map((status) => statusWord(status, l10n)).join(', '),
    pools.join(', '),
    labels.join(', '),
    workspaceOnly ? l10n.t('this workspace') : '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

async function askText(before: string): Promise<string> {
  const { l10n } = vscode;
  const given = await vscode.window.showInputBox({
    title: l10n.t('Only tasks whose name or id has'),
    placeHolder: l10n.t('A part of it, or a pattern such as train-*'),
    value: before,
  });
  return given?.trim() ?? before;
}

async function pickStatuses(before: readonly Status[]): Promise<readonly Status[]> {
  const { l10n } = vscode;
  const items = statuses.map((status) => ({
    label: statusWord(status, l10n),
    picked: before.includes(status),
    status,
  }));
  const title = l10n.t('Only tasks of these statuses');
  const picked = await vscode.window.showQuickPick(items, { title, canPickMany: true });
  return picked?.map(({ status }) => status) ?? before;
}

async function pickSome(
  title: string,
  known: Iterable<string>,
  before: readonly string[],
): Promise<readonly string[]> {
  const items = [...new Set([...known, ...before])]
    .sort()
    .map((label) => ({ label, picked: before.includes(label) }));
  const placeHolder = items.length === 0 ? vscode.l10n.t('There are none yet') : undefined;
  const picked = await vscode.window.showQuickPick(items, { title, canPickMany: true, placeHolder });
  return picked?.map(({ label }) => label) ?? before;
}

function* knownPools(store: TaskStore): Generator<string> {
  for (const { pool } of store.all()) yield pool;
}

function* knownLabels(store: TaskStore): Generator<string> {
  for (const { labels } of store.all()) {
    for (const [key, value] of Object.entries(labels)) yield `${key}=${value}`;
  }
}
