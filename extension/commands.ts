/** How commands are registered: each failure that a person can expect becomes one sentence. */
import * as vscode from 'vscode';
import { VbatchError } from '../server/protocol/errors.ts';
import type { Parts } from './connection/connection.ts';

/** Registers a command of package.json. What it throws is shown, and logged with its stack where it is a bug. */
export function registerCommand(
  context: vscode.ExtensionContext,
  parts: Pick<Parts, 'log'>,
  id: string,
  // Each command says which arguments its menus pass; VS Code passes what it has.
  run: (...args: never[]) => unknown,
): void {
  const guarded = async (...args: unknown[]): Promise<unknown> => {
    try {
      return await run(...(args as never[]));
    } catch (error) {
      // The person has given it up, and knows.
      if (error instanceof vscode.CancellationError) return undefined;
      showFailure(parts, error);
      return undefined;
    }
  };
  context.subscriptions.push(vscode.commands.registerCommand(id, guarded));
}

/** Tells a person what went wrong. */
export function showFailure({ log }: Pick<Parts, 'log'>, error: unknown): void {
  if (error instanceof VbatchError) {
    log.warn(error.message);
    void vscode.window.showErrorMessage(error.message);
    return;
  }
  log.error(error as Error);
  const show = vscode.l10n.t('Show Output');
  const text = vscode.l10n.t('vbatch met a bug: {0}', (error as Error).message);
  void vscode.window.showErrorMessage(text, show).then((choice) => {
    if (choice === show) log.show();
  });
}
