/** Commands that run the script of an editor. */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { findWorkspace } from '../../server/config/workspace.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import { splitWords } from '../../server/protocol/scriptDefaults.ts';
import { registerCommand } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import type { Memory } from './memory.ts';
import { pickPool } from './pickPool.ts';
import { isScript } from './script.ts';
import { scriptOf, submitFile } from './submit.ts';

export function registerRunCommands(context: vscode.ExtensionContext, parts: Parts, memory: Memory): void {
  const run = async (document: vscode.TextDocument) => {
    const { pool, args } = memory.of(document.fileName);
    const words = splitWords(args) ?? [];
    const id = await submitFile(parts.connection, document, { pool, args: words });
    void vscode.window.setStatusBarMessage(vscode.l10n.t('$(rocket) submitted {0}', id), 5_000);
    return id;
  };
  registerCommand(context, parts, 'vbatch.run', async (uri?: vscode.Uri) => run(await documentOf(uri)));
  registerCommand(context, parts, 'vbatch.runOnPool', async (uri?: vscode.Uri) => {
    const document = await documentOf(uri);
    const workspace = findWorkspace(dirname(document.fileName));
    const pool = await pickPool(parts.connection, workspace, memory.of(document.fileName).pool);
    if (pool === undefined) return undefined;
    await memory.keep(document.fileName, { pool });
    return run(document);
  });
  registerCommand(context, parts, 'vbatch.runWithArguments', async (uri?: vscode.Uri) => {
    const document = await documentOf(uri);
    const args = await vscode.window.showInputBox({
      title: vscode.l10n.t('Arguments for {0}', vscode.workspace.asRelativePath(document.uri)),
      prompt: vscode.l10n.t(
        'Quotes and backslashes as in a shell, without expansion; kept for the next run.',
      ),
      value: memory.of(document.fileName).args,
      validateInput: (text) => (splitWords(text) === null ? vscode.l10n.t('A quote is not closed.') : null),
    });
    if (args === undefined) return undefined;
    await memory.keep(document.fileName, { args });
    return run(document);
  });
}

/** The file that a menu or a lens names, else that of the active editor. */
async function documentOf(uri: vscode.Uri | undefined): Promise<vscode.TextDocument> {
  const document =
    uri instanceof vscode.Uri
      ? await vscode.workspace.openTextDocument(uri)
      : vscode.window.activeTextEditor?.document;
  if (document === undefined) {
    throw new VbatchError('refused', vscode.l10n.t('Open the script to run in an editor first.'));
  }
  // Menus and keys offer it for scripts only; the status bar and the walkthrough do whatever is open.
  if (!isScript(scriptOf(document))) {
    const name = vscode.workspace.asRelativePath(document.uri);
    throw new VbatchError(
      'refused',
      vscode.l10n.t('{0} is not run: it is no shell or Python script, and has no #! line.', name),
    );
  }
  return document;
}
