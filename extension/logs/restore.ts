/** Opens again the logs that were open before the window was reloaded: VS Code keeps no tabs of documents that have no file. */
import * as vscode from 'vscode';
import { type LogAddress, logScheme, parseAddress } from './address.ts';
import type { LinePlace } from './document.ts';
import type { LogDocuments } from './documents.ts';
import type { LogEditors } from './editors.ts';

/** A tab with a log. */
interface OpenLog extends LogAddress {
  readonly column: vscode.ViewColumn;
  /** Whether it is in front of the others of its group. */
  readonly isActive: boolean;
  readonly isPreview: boolean;
  readonly place: LinePlace | null;
}

const key = 'logs.open';
/** More are not opened again. */
const most = 50;
/** Who scrolls is at a new place all the time. Milliseconds. */
const pause = 300;

/** Opens the logs of before, and keeps in mind which are open from now on. */
export async function restoreLogs(
  context: vscode.ExtensionContext,
  documents: LogDocuments,
  editors: LogEditors,
): Promise<void> {
  // Until then nothing is shown of a server.
  if (!vscode.workspace.isTrusted) await trusted(context);
  const state = context.workspaceState;
  await reopen(state.get<OpenLog[]>(key) ?? [], documents, editors);
  let kept = '';
  let keptAt = 0;
  let timer: NodeJS.Timeout | null = null;
  const keep = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    keptAt = Date.now();
    const open = openLogs(documents);
    const now = JSON.stringify(open);
    if (now !== kept) void state.update(key, open);
    kept = now;
  };
  const keepSoon = () => {
    // Whoever has come to a place after a while may reload right away.
    timer ??= setTimeout(keep, keptAt + pause - Date.now());
  };
  keep();
  context.subscriptions.push(
    vscode.window.tabGroups.onDidChangeTabs(keep),
    vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => {
      if (documents.get(textEditor.document.uri) !== undefined) keepSoon();
    }),
    documents.onDidRender(keepSoon),
    { dispose: () => timer !== null && clearTimeout(timer) },
  );
}

async function reopen(logs: readonly OpenLog[], documents: LogDocuments, editors: LogEditors): Promise<void> {
  const open = new Set(openLogs(documents).map(({ id, attempt }) => `${id} ${attempt}`));
  const gone = logs.slice(0, most).filter(({ id, attempt }) => !open.has(`${id} ${attempt}`));
  const show = (log: OpenLog, background: boolean) => {
    const document = documents.prepare(log, log.place ?? null);
    if (log.place) editors.want(document, { ...log.place, atTop: true });
    const options = { preview: log.isPreview, viewColumn: log.column, preserveFocus: true, background };
    return vscode.commands.executeCommand('vscode.open', document.uri, options);
  };
  const columns = [...new Set(gone.map(({ column }) => column))];
  const opening = columns.flatMap((column) => {
    const group = gone.filter((log) => log.column === column);
    // Each goes to the right of the one in front. Where that is none of them, it is what VS Code has opened again.
    const front = group.findIndex(({ isActive }) => isActive);
    return [
      ...group.slice(0, front + 1).map((log) => show(log, false)),
      ...group
        .slice(front + 1)
        .reverse()
        .map((log) => show(log, true)),
    ];
  });
  await Promise.all(opening);
}

function openLogs(documents: LogDocuments): OpenLog[] {
  return vscode.window.tabGroups.all.flatMap(({ tabs, viewColumn: column }) =>
    tabs.flatMap(({ input, isActive, isPreview }) => {
      if (!(input instanceof vscode.TabInputText) || input.uri.scheme !== logScheme) return [];
      const address = parseAddress(input.uri);
      const place = documents.get(input.uri)?.place ?? null;
      return address === null ? [] : [{ ...address, column, isActive, isPreview, place }];
    }),
  );
}

function trusted({ subscriptions }: vscode.ExtensionContext): Promise<void> {
  return new Promise((resolve) => {
    subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(() => resolve()));
  });
}
