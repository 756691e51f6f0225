/** Tells of runs that have ended: one word for each, or one for all where many end together. */
import * as vscode from 'vscode';
import { formatDuration } from '../../server/protocol/quantities.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { showFailure } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import { openFolders } from '../folders.ts';
import type { RunRegistry } from '../runs/registry.ts';
import { elapsedSeconds, hasFailed } from '../runs/runs.ts';
import { statusWord } from '../statuses.ts';
import { type Wanted, worthTelling } from './worthy.ts';

/** Runs that end within this time are told of together. Milliseconds. */
const gatherMs = 1_000;
/** More than this many together get one notification. */
const maxSingle = 3;
/** Most failures of a run among which the one to show is looked for. */
const mostLooked = 200;

export function registerNotifications(
  context: vscode.ExtensionContext,
  parts: Parts,
  registry: RunRegistry,
): void {
  let gathered: TaskView[] = [];
  let timer: NodeJS.Timeout | null = null;
  const tell = () => {
    timer = null;
    const runs = gathered;
    gathered = [];
    if (runs.length > maxSingle) tellMany(runs).catch((error: unknown) => showFailure(parts, error));
    else for (const run of runs) tellOne(parts, run).catch((error: unknown) => showFailure(parts, error));
  };
  context.subscriptions.push(
    registry.onDidUpdate((changes) => {
      const wanted = vscode.workspace.getConfiguration('vbatch').get<Wanted>('notifications', 'all');
      gathered.push(...worthTelling(changes, wanted, openFolders()));
      if (gathered.length > 0) timer ??= setTimeout(tell, gatherMs);
    }),
    { dispose: () => clearTimeout(timer ?? undefined) },
  );
}

async function tellOne(parts: Parts, run: TaskView): Promise<void> {
  const logs = vscode.l10n.t('Logs');
  const retry = vscode.l10n.t('Retry');
  const never = vscode.l10n.t("Don't Show Again");
  const seconds = elapsedSeconds(run, Date.now());
  const duration = seconds === null ? '' : vscode.l10n.t(' after {0}', formatDuration(seconds));
  const reason = run.reason === null ? '' : `: ${run.reason}`;
  const text = vscode.l10n.t('{0} {1}{2}{3}', run.id, statusWord(run.status, vscode.l10n), duration, reason);
  const choice = hasFailed(run)
    ? await vscode.window.showErrorMessage(text, logs, retry, never)
    : await vscode.window.showInformationMessage(text, logs, never);
  if (choice === logs) {
    await vscode.commands.executeCommand('vbatch.task.openLog', { id: await telling(parts, run) });
  }
  if (choice === retry) await vscode.commands.executeCommand('vbatch.task.retry', { id: run.id });
  if (choice === never) await stopTelling();
}

/** The task whose output says what went wrong: the first below the run that failed itself, else the run. */
async function telling({ connection }: Parts, { id, children }: TaskView): Promise<string> {
  if (children.failed === 0) return id;
  const client = await connection.client();
  const { tasks } = await client.list({ below: id, status: ['FAILURE'], limit: mostLooked });
  return tasks.find((task) => task.attempt > 0 && task.children.failed === 0)?.id ?? id;
}

async function tellMany(runs: readonly TaskView[]): Promise<void> {
  const show = vscode.l10n.t('Show Tasks');
  const never = vscode.l10n.t("Don't Show Again");
  const failed = runs.filter(hasFailed).length;
  const text = vscode.l10n.t('{0} runs have ended, {1} of them failed', runs.length, failed);
  const choice = await (failed > 0
    ? vscode.window.showErrorMessage(text, show, never)
    : vscode.window.showInformationMessage(text, show, never));
  if (choice === show) await vscode.commands.executeCommand('vbatch.tasks.focus');
  if (choice === never) await stopTelling();
}

async function stopTelling(): Promise<void> {
  const settings = vscode.workspace.getConfiguration('vbatch');
  await settings.update('notifications', 'none', vscode.ConfigurationTarget.Global);
}
