/** The sidebar's tasks: the store behind them, the view, its filter, its badge, and the commands. */
import * as vscode from 'vscode';
import { registerCommand } from '../commands.ts';
import type { ConnectionState, Parts } from '../connection/connection.ts';
import { keySetter } from '../contextKeys.ts';
import { openFolders } from '../folders.ts';
import { logScheme, parseAddress } from '../logs/address.ts';
import { type Choice, filterOf, noChoice } from './filter.ts';
import { choiceText, chooseFilter } from './filterMenu.ts';
import type { TaskNode } from './look.ts';
import { registerTaskActions } from './taskActions.ts';
import { TaskStore } from './taskStore.ts';
import { TasksView } from './tasksView.ts';
import { type Seen, Unseen } from './unseen.ts';

const choiceKey = 'tasks.filter';
const seenKey = 'tasks.seen';

export function registerTree(context: vscode.ExtensionContext, parts: Parts): void {
  const { connection } = parts;
  const { l10n } = vscode;
  const { workspaceState, globalState } = context;
  const unseen = new Unseen(globalState.get<Seen>(seenKey) ?? { before: Date.now(), failures: [] });
  const store = new TaskStore((entry, isGone) => unseen.note(entry, isGone));
  let choice: Choice = { ...noChoice, ...workspaceState.get<Choice>(choiceKey) };
  store.setFilter(filterOf(choice, openFolders()));
  const view = new TasksView(parts, store);
  const { tree } = view;

  // Other windows remember theirs at the same place.
  const remember = () => globalState.update(seenKey, unseen.remember(globalState.get<Seen>(seenKey)));
  if (globalState.get(seenKey) === undefined) void remember();
  const setKey = keySetter();

  const describe = () => {
    const isKnown = store.whole || store.size > 0;
    setKey('vbatch.tasks.filtered', choiceText(choice) !== '');
    setKey('vbatch.tasks.unseen', unseen.count > 0);
    setKey('vbatch.tasks.empty', emptiness(connection.state, isKnown, store));
    // Setting any of these crosses to the window, whether it is news or not.
    const description = choiceText(choice);
    if (tree.description !== description) tree.description = description;
    const message = messageOf();
    if (tree.message !== message) tree.message = message;
    if ((tree.badge?.value ?? 0) !== unseen.count) {
      const tooltip =
        unseen.count === 1
          ? l10n.t('1 failed task that nobody has looked at')
          : l10n.t('{0} failed tasks that nobody has looked at', unseen.count);
      tree.badge = unseen.count === 0 ? undefined : { value: unseen.count, tooltip };
    }
  };

  /** What is wrong with what is shown, if anything is. */
  const messageOf = (): string | undefined => {
    const { state } = connection;
    if (state.kind === 'lost' && store.size > 0) return l10n.t('Not up to date: {0}', state.reason);
    if (state.kind === 'idle' && store.size > 0) return l10n.t('Not up to date: the server was stopped.');
    if (choiceText(choice) !== '' && store.whole && store.matches === 0 && store.size > 0) {
      return l10n.t('The filter fits none of {0} tasks.', store.size);
    }
    return undefined;
  };

  let isSelectionUnread = false;
  const changed = () => {
    // While VS Code asks for a part of the tree anew, it does not say what of it is selected.
    if (isSelectionUnread && tree.selection.length > 0) {
      isSelectionUnread = false;
      lookAt(tree.selection);
    }
    describe();
    view.changed();
  };
  const setChoice = async (next: Choice) => {
    choice = next;
    store.setFilter(filterOf(choice, openFolders()));
    describe();
    view.refilter();
    await workspaceState.update(choiceKey, choice);
  };
  const lookAt = (nodes: readonly TaskNode[]) => {
    const tasks = nodes.flatMap((node) =>
      node.kind === 'task'
        ? [node]
        : node.kind === 'group'
          ? [...node.family.entries()]
          : node.family.tasksOf(node),
    );
    if (!unseen.lookAt(tasks)) return;
    describe();
    void remember();
  };
  /** The task whose log is in front. */
  const readEntry = () => {
    const uri = vscode.window.activeTextEditor?.document.uri;
    const address = uri?.scheme === logScheme ? parseAddress(uri) : null;
    return address === null ? undefined : store.find(address.id);
  };
  /** Somebody sees a task fail whose log is read at the time. */
  const lookAtRead = () => {
    const entry = vscode.window.state.focused ? readEntry() : undefined;
    if (entry !== undefined && unseen.has(entry)) lookAt([entry]);
  };

  context.subscriptions.push(
    view,
    connection.onDidReceive((event) => {
      store.take(event);
      lookAtRead();
      changed();
    }),
    connection.onDidChangeState(changed),
    vscode.workspace.onDidChangeWorkspaceFolders(() => setChoice(choice)),
    // Whoever reads the log of a failure, from wherever they have come to it, looks at the failure.
    vscode.window.onDidChangeActiveTextEditor(() => {
      const entry = readEntry();
      if (entry !== undefined) lookAt([entry]);
    }),
    vscode.window.onDidChangeWindowState(lookAtRead),
    tree.onDidChangeSelection(({ selection }) => {
      isSelectionUnread = selection.length === 0;
      lookAt(selection);
    }),
  );
  registerTaskActions(context, parts, store);
  registerCommand(context, parts, 'vbatch.tasks.filter', async () =>
    setChoice(await chooseFilter(store, choice)),
  );
  registerCommand(context, parts, 'vbatch.tasks.clearFilter', () => setChoice(noChoice));
  registerCommand(context, parts, 'vbatch.tasks.markSeen', async () => {
    unseen.lookAtAll(Date.now());
    describe();
    await remember();
  });
  registerCommand(context, parts, 'vbatch.task.reveal', async ({ id }: { id: string }) => {
    const entry = store.find(id);
    if (entry === undefined) return false;
    if (entry.fitting === 0) await setChoice(noChoice);
    await view.reveal(entry);
    return true;
  });
  describe();
}

/** Which welcome fits an empty tree; none while it is not known to be empty. */
function emptiness(state: ConnectionState, isKnown: boolean, store: TaskStore): string {
  if (store.size > 0) return '';
  if (state.kind === 'idle') return 'noServer';
  if (state.kind === 'lost') return state.mismatch ? 'otherVersion' : 'lost';
  return isKnown ? 'noRuns' : '';
}
