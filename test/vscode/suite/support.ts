/** The extension as its tests see it. */
import * as vscode from 'vscode';
import type { Api } from '../../../extension/extension.ts';

export async function extension(): Promise<Api> {
  const found = vscode.extensions.getExtension<Api>('vbatch.vbatch');
  if (found === undefined) throw new Error('the extension is not there');
  return found.activate();
}

/** The folder that the window shows. */
export function folder(): string {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  if (first === undefined) throw new Error('the window has no folder');
  return first.uri.fsPath;
}
