/** Panels with the graph of a run: one for each run, restored with the window. */
import * as vscode from 'vscode';
import type { Place } from '../../logtext/references.ts';
import { EventStream } from '../../server/client/events.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { EditorMessage, PageMessage } from '../../webview/link/messages.ts';
import { registerCommand, showFailure } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import { finderFor } from '../logs/document.ts';
import { statusWord } from '../statuses.ts';
import { pageHtml } from './pageHtml.ts';
import { Relay } from './relay.ts';

const viewType = 'vbatch.graph';

/** What the page keeps of itself; it is ours, but of an earlier version perhaps. */
interface SavedPage {
  readonly selected?: unknown;
}

export function registerGraph(context: vscode.ExtensionContext, parts: Parts): void {
  const { l10n } = vscode;
  const panels = new Map<string, { panel: vscode.WebviewPanel; go: (id: string) => void }>();
  const folder = vscode.Uri.joinPath(context.extensionUri, 'dist', 'webview');
  const options = { enableScripts: true, localResourceRoots: [folder] };

  const furnish = (panel: vscode.WebviewPanel, first: string) => {
    const run = first.split('/')[0] ?? first;
    let wanted = first;
    let isReady = false;
    const post = (message: EditorMessage) => void panel.webview.postMessage(message);
    const relay = new Relay({
      client: () => parts.connection.running(),
      stream(below, listener) {
        const locate = async () => (await parts.connection.running()).locate();
        const stream = new EventStream({ locate, below, listener });
        stream.start();
        return () => stream.stop();
      },
      post,
      showLog: (id) => void vscode.commands.executeCommand('vbatch.task.openLog', { id }),
      showPlace: (id, place) =>
        void showPlace(parts, id, place).catch((error: unknown) => showFailure(parts, error)),
      ready() {
        isReady = true;
        post({ type: 'show', id: wanted });
      },
    });
    const go = (id: string) => {
      wanted = id;
      panel.reveal();
      if (isReady) post({ type: 'show', id });
    };
    panels.set(run, { panel, go });
    panel.title = run;
    panel.webview.options = options;
    panel.webview.onDidReceiveMessage((message: PageMessage) => relay.take(message));
    panel.onDidDispose(() => {
      relay.dispose();
      if (panels.get(run)?.panel === panel) panels.delete(run);
    });
    const file = (name: string) => panel.webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    panel.webview.html = pageHtml({
      origin: panel.webview.cspSource,
      script: file('page.js'),
      style: file('page.css'),
      worker: file('layoutWorker.js'),
      language: vscode.env.language,
      texts: l10n.bundle ?? {},
    });
  };

  registerCommand(context, parts, 'vbatch.graph.show', async (target?: { id?: string }) => {
    const id = target?.id ?? (await pickRun(parts));
    if (id === undefined) return;
    const known = panels.get(id.split('/')[0] ?? id);
    if (known !== undefined) return known.go(id);
    furnish(vscode.window.createWebviewPanel(viewType, id, vscode.ViewColumn.Active, options), id);
  });
  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer(viewType, {
      async deserializeWebviewPanel(panel, saved: SavedPage | null) {
        if (typeof saved?.selected === 'string') furnish(panel, saved.selected);
        else panel.dispose();
      },
    }),
  );

  async function pickRun({ connection }: Parts): Promise<string | undefined> {
    const { tasks } = await (await connection.client()).list({ top: true, limit: 100 });
    const items = tasks.map(({ id, name, status }) => ({
      label: name,
      description: statusWord(status, l10n),
      detail: id,
    }));
    const title = l10n.t('Show which run as a graph?');
    return (await vscode.window.showQuickPick(items, { title, matchOnDetail: true }))?.detail;
  }
}

/** Opens the file that a task has named in its output. */
async function showPlace(parts: Parts, id: string, { path, line, column }: Place): Promise<void> {
  const task = await (await parts.connection.client()).task(id);
  const finder = await finderFor(task, task.host ?? 'local');
  const file = await finder.find(path);
  if (file === null) {
    throw new VbatchError('notFound', vscode.l10n.t('There is no file {0} on this machine.', path));
  }
  const at = new vscode.Position(Math.max(0, line - 1), Math.max(0, (column ?? 1) - 1));
  await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) });
}
