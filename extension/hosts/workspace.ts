import * as vscode from 'vscode';
import { findWorkspace } from '../../server/config/workspace.ts';

/** The folder whose `.vbatch/config.yaml` holds in this window; null where none does. */
export function workspaceOf(): string | null {
  for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
    const found = findWorkspace(uri.fsPath);
    if (found !== null) return found;
  }
  return null;
}
