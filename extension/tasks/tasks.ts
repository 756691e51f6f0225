/** Tasks of tasks.json with `"type": "vbatch"`. */
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { lensLine } from '../codelens/place.ts';
import type { Parts } from '../connection/connection.ts';
import { interpreterOf } from '../run/script.ts';
import { pythonFor, scriptOf } from '../run/submit.ts';
import { type Definition, wordsOf } from './definition.ts';
import { TaskTerminal } from './taskTerminal.ts';

export function registerTasks(context: vscode.ExtensionContext, parts: Parts): void {
  const task = (definition: Definition, scope: vscode.TaskScope | vscode.WorkspaceFolder, name: string) => {
    const execution = new vscode.CustomExecution(async (resolved) => {
      const { cwd } = resolved as vscode.TaskDefinition & Definition;
      const named = { name, ...(resolved as Definition) };
      return new TaskTerminal(parts, wordsOf(named), folderOf(cwd, scope));
    });
    return new vscode.Task(definition, scope, name, 'vbatch', execution);
  };
  const provider: vscode.TaskProvider = {
    /** The script in the active editor. */
    provideTasks: () => {
      const document = vscode.window.activeTextEditor?.document;
      if (document === undefined || document.uri.scheme !== 'file') return [];
      const lines = document.getText(new vscode.Range(0, 0, 1, 0)).split('\n');
      if (lensLine({ path: document.fileName, language: document.languageId, lines }) === null) return [];
      const folder = vscode.workspace.getWorkspaceFolder(document.uri);
      if (folder === undefined) return [];
      const name = vscode.workspace.asRelativePath(document.uri, false);
      // By its name alone: a host has its folder somewhere else.
      const interpreter = interpreterOf(scriptOf(document), pythonFor(document));
      const command = [...interpreter, basename(document.fileName)];
      return [task({ type: 'vbatch', command, cwd: dirname(document.fileName) }, folder, name)];
    },
    resolveTask: ({ definition, scope, name }) =>
      task(definition as vscode.TaskDefinition & Definition, scope ?? vscode.TaskScope.Workspace, name),
  };
  context.subscriptions.push(vscode.tasks.registerTaskProvider('vbatch', provider));
}

/** Where it runs: relative paths are the workspace folder's. */
function folderOf(cwd: string | undefined, scope: vscode.TaskScope | vscode.WorkspaceFolder): string {
  const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
  const base = folder?.uri.fsPath ?? process.cwd();
  if (cwd === undefined) return base;
  return isAbsolute(cwd) ? cwd : join(base, cwd);
}
