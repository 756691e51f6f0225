/** Which tasks a command is about: those of a menu, those selected, or what a person picks. */
import * as vscode from 'vscode';
import { VbatchError } from '../../server/protocol/errors.ts';
import { type Ability, can } from './abilities.ts';
import type { Entry } from './entries.ts';
import { lookOf, type TaskNode } from './look.ts';
import type { TaskStore } from './taskStore.ts';

/** Most tasks that are offered; whoever has more types a part of the id into the filter of the view. */
const mostOffered = 500;

/** What a menu, a link or another room passes. */
export type TaskArgument = TaskNode | { readonly id: string } | undefined;

/**
 * The tasks meant, as far as they are able to do it; none where the person picks none.
 * @param all the whole selection, where a menu was opened on a part of it
 */
export async function tasksOf(
  store: TaskStore,
  ability: Ability | null,
  argument: TaskArgument,
  all: readonly TaskNode[] | undefined,
  title: string,
): Promise<Entry[]> {
  const isAble = (entry: Entry) => ability === null || can(ability, entry);
  if (argument === undefined) {
    const picked = await pick(store, isAble, title);
    return picked === undefined ? [] : [picked];
  }
  if (!('kind' in argument)) {
    const entry = store.find(argument.id);
    if (entry !== undefined) return [entry];
    throw new VbatchError('notFound', vscode.l10n.t('This window knows no task {0}.', argument.id));
  }
  const nodes = all !== undefined && all.includes(argument) ? all : [argument];
  const chosen = nodes.filter((node): node is Entry => node.kind === 'task');
  if (ability === null) return chosen;
  // What is below another of them is done with it.
  const isAbove = new Set(chosen);
  return chosen.filter((entry) => isAble(entry) && !hasAbove(entry, isAbove));
}

function hasAbove(entry: Entry, above: ReadonlySet<Entry>): boolean {
  for (let each = entry.parent; each !== null; each = each.parent) if (above.has(each)) return true;
  return false;
}

async function pick(
  store: TaskStore,
  isAble: (entry: Entry) => boolean,
  title: string,
): Promise<Entry | undefined> {
  const items: (vscode.QuickPickItem & { entry: Entry })[] = [];
  for (const entry of [...store.all()].reverse()) {
    if (items.length === mostOffered) break;
    if (!isAble(entry)) continue;
    const { description, icon } = lookOf(entry, Date.now(), vscode.l10n);
    items.push({ label: entry.id, description, iconPath: new vscode.ThemeIcon(icon.name), entry });
  }
  if (items.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no task for this now.'));
    return undefined;
  }
  const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true });
  return chosen?.entry;
}
