/** Commands of tasks. Each works from the tree, from the palette, and from other rooms by `{id}`. */
import * as vscode from 'vscode';
import type { Client } from '../../server/client/client.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { ActionResult } from '../../server/protocol/tasks.ts';
import { registerCommand } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import { statusWord } from '../statuses.ts';
import type { Ability } from './abilities.ts';
import type { Entry } from './entries.ts';
import { labelOf, type TaskNode } from './look.ts';
import { unrepeated } from './sentences.ts';
import { shellText } from './shellText.ts';
import { type TaskArgument, tasksOf } from './taskPick.ts';
import type { TaskStore } from './taskStore.ts';

export function registerTaskActions(context: vscode.ExtensionContext, parts: Parts, store: TaskStore): void {
  const { l10n } = vscode;
  /** Registers a command about the tasks that are meant. Nothing happens where none is. */
  const register = (
    name: string,
    ability: Ability | null,
    title: string,
    run: (entries: Entry[], client: Client) => Promise<void>,
  ) =>
    registerCommand(context, parts, `vbatch.task.${name}`, async (...args: [TaskArgument?, TaskNode[]?]) => {
      if (args.length > 0 && args[0] === undefined) {
        // The menu belongs to a node that VS Code was just asking for anew.
        throw new VbatchError(
          'refused',
          l10n.t('The list was just being brought up to date; please try again.'),
        );
      }
      const entries = await tasksOf(store, ability, args[0], args[1], title);
      if (entries.length > 0) await run(entries, await parts.connection.client());
    });

  register('cancel', 'cancel', l10n.t('Cancel which task?'), async (entries, client) => {
    if (!(await confirmCancel(entries))) return;
    await actOn(entries, (id) => client.cancel(id));
  });
  register('retry', 'retry', l10n.t('Retry which task?'), (entries, client) =>
    actOn(entries, (id) => client.retry(id)),
  );
  register('hold', 'hold', l10n.t('Hold which task?'), (entries, client) =>
    actOn(entries, (id) => client.hold(id)),
  );
  register('release', 'release', l10n.t('Release which task?'), (entries, client) =>
    actOn(entries, (id) => client.release(id)),
  );
  register('copyId', null, l10n.t('Copy the id of which task?'), async (entries) => {
    await vscode.env.clipboard.writeText(entries.map(({ id }) => id).join('\n'));
  });
  register('copyCommand', null, l10n.t('Copy the command of which task?'), async (entries, client) => {
    const details = await Promise.all(entries.map(({ id }) => client.task(id)));
    await vscode.env.clipboard.writeText(details.map(({ command }) => shellText(command)).join('\n'));
  });
  register('explain', null, l10n.t('Explain which task?'), async ([entry], client) => {
    if (entry !== undefined) await explain(entry, client);
  });
  register('showInGraph', null, l10n.t('Show which task in the graph?'), async ([entry]) => {
    await vscode.commands.executeCommand('vbatch.graph.show', { id: entry?.id });
  });
}

/** Asks before work is lost that has begun, or before more than one task is cancelled. */
async function confirmCancel(entries: readonly Entry[]): Promise<boolean> {
  const { l10n } = vscode;
  const below = entries.reduce((sum, { total, done }) => sum + total - done, 0);
  const [first] = entries;
  const isSmall = entries.length === 1 && below === 0 && first?.startedAt === null;
  if (first === undefined || isSmall) return true;
  const what =
    entries.length > 1
      ? l10n.t('Cancel {0} tasks and all that is below them?', entries.length)
      : below > 0
        ? l10n.t('Cancel {0} and all that is below it?', labelOf(first))
        : l10n.t('Cancel {0}?', labelOf(first));
  const detail = l10n.t('What runs is ended. What has succeeded stays, and a retry runs only the rest.');
  const yes = l10n.t('Cancel Task');
  const keep = { title: l10n.t('Keep Running'), isCloseAffordance: true };
  const choice = await vscode.window.showWarningMessage(
    what,
    { modal: true, detail },
    { title: yes, isCloseAffordance: false },
    keep,
  );
  return choice?.title === yes;
}

/** Does it to each; one that is refused stops no other. Only what a person would miss is said. */
async function actOn(entries: readonly Entry[], act: (id: string) => Promise<ActionResult>): Promise<void> {
  const results = await Promise.allSettled(entries.map(({ id }) => act(id)));
  const unchanged = results.flatMap((each) =>
    each.status === 'fulfilled' && !each.value.changed ? [each.value.message] : [],
  );
  if (unchanged.length > 0) void vscode.window.showInformationMessage(unchanged.join('; '));
  const failed = results.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function explain(entry: Entry, client: Client): Promise<void> {
  const { l10n } = vscode;
  const { id, status, sentences: all } = await client.explain(entry.id);
  const sentences = unrepeated(all);
  const copy = { title: l10n.t('Copy'), isCloseAffordance: false };
  const title = `${labelOf(entry)}: ${statusWord(status, l10n)}`;
  // A notification would run the lines together.
  const options = { modal: true, detail: sentences.join('\n') };
  const close = { title: l10n.t('Close'), isCloseAffordance: true };
  const choice = await vscode.window.showInformationMessage(title, options, copy, close);
  if (choice === copy) await vscode.env.clipboard.writeText(`${id}: ${sentences.join(' ')}`);
}
