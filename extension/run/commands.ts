/** Commands that run the script of an editor. */
import * as vscode from 'vscode';
import { VbatchError } from '../../server/protocol/errors.ts';
import { splitWords } from '../../server/protocol/scriptDefaults.ts';
import { registerCommand } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import type { Memory } from './memory.ts';
import { pickPool } from './pickPool.ts';
import { submitFile } from './submit.ts';

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
    const pool = await pickPool(parts.connection, memory.of(document.fileName).pool);
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
  if (uri instanceof vscode.Uri) return vscode.workspace.openTextDocument(uri);
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) {
    throw new VbatchError('refused', vscode.l10n.t('Open the script to run in an editor first.'));
  }
  return document;
}
