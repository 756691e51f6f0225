/** Opens again the logs that were open before the window was reloaded: VS Code keeps no tabs of documents that have no file. */
import * as vscode from 'vscode';
import { type LogAddress, logScheme, parseAddress } from './address.ts';
import type { LogDocuments } from './documents.ts';

interface OpenLog extends LogAddress {
  readonly column: vscode.ViewColumn;
}

const key = 'logs.open';
/** More are not opened again. */
const most = 12;

export async function restoreLogs(
  state: vscode.Memento,
  documents: LogDocuments,
): Promise<vscode.Disposable> {
  if (!vscode.workspace.isTrusted) return new vscode.Disposable(() => {});
  const before = state.get<OpenLog[]>(key) ?? [];
  const open = new Set(openLogs().map(({ id, attempt }) => `${id} ${attempt}`));
  for (const { id, attempt, column } of before.slice(0, most)) {
    if (open.has(`${id} ${attempt}`)) continue;
    await documents.show({ id, attempt }, { preview: false, preserveFocus: true, viewColumn: column });
  }
  return vscode.window.tabGroups.onDidChangeTabs(() => void state.update(key, openLogs()));
}

function openLogs(): OpenLog[] {
  return vscode.window.tabGroups.all.flatMap(({ tabs, viewColumn }) =>
    tabs.flatMap(({ input }) => {
      if (!(input instanceof vscode.TabInputText) || input.uri.scheme !== logScheme) return [];
      const address = parseAddress(input.uri);
      return address === null ? [] : [{ ...address, column: viewColumn }];
    }),
  );
}
