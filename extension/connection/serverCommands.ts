/** Commands about the server, and what is said when the one that runs has another version. */
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { logFile } from '../../server/client/launch.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import { registerCommand } from '../commands.ts';
import type { Parts } from './connection.ts';

export function registerServerCommands(context: vscode.ExtensionContext, parts: Parts): void {
  const { connection, log } = parts;
  registerCommand(context, parts, 'vbatch.server.start', async () => {
    await connection.client();
  });
  registerCommand(context, parts, 'vbatch.server.stop', async () => {
    await connection.stop();
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The vbatch server has ended; running tasks go on.'),
    );
  });
  registerCommand(context, parts, 'vbatch.server.restart', () =>
    vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Restarting the vbatch server…'),
      },
      () => connection.restart(),
    ),
  );
  registerCommand(context, parts, 'vbatch.server.showLog', async () => {
    const path = logFile(connection.home);
    if (!existsSync(path)) {
      throw new VbatchError(
        'notFound',
        vscode.l10n.t('No vbatch server has run here yet: there is no {0}.', path),
      );
    }
    await vscode.window.showTextDocument(vscode.Uri.file(path), { preview: true });
  });
  registerCommand(context, parts, 'vbatch.showOutput', () => log.show());
  registerCommand(context, parts, 'vbatch.openWalkthrough', () =>
    vscode.commands.executeCommand('workbench.action.openWalkthrough', 'vbatch.vbatch#start'),
  );

  let asked = false;
  context.subscriptions.push(
    connection.onDidChangeState(async (state) => {
      if (state.kind !== 'lost' || !state.mismatch || asked) return;
      asked = true;
      const restart = vscode.l10n.t('Restart Server');
      const text = vscode.l10n.t(
        'The vbatch server that runs is of another version than this extension. Running tasks go on while it restarts.',
      );
      const choice = await vscode.window.showWarningMessage(text, restart);
      asked = false;
      if (choice === restart) await vscode.commands.executeCommand('vbatch.server.restart');
    }),
  );
}
