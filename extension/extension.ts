/** What VS Code calls: makes the shared parts and has each room register what is its own. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { Connection, type Parts } from './connection/connection.ts';
import { registerServerCommands } from './connection/serverCommands.ts';

/** For tests, which run inside VS Code beside the extension. */
export interface Api extends Parts {
  readonly activationMs: number;
}

export function activate(context: vscode.ExtensionContext): Api {
  const begun = performance.now();
  const log = vscode.window.createOutputChannel('vbatch', { log: true });
  const connection = new Connection(join(context.extensionPath, 'dist', 'server.cjs'), log);
  const parts: Parts = { connection, log };
  context.subscriptions.push(log, connection);
  registerServerCommands(context, parts);
  connection.begin();
  context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(() => connection.begin()));
  return { ...parts, activationMs: performance.now() - begun };
}
