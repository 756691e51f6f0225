/** What VS Code calls: makes the shared parts and has each room register what is its own. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { registerCodeLens } from './codelens/codelens.ts';
import { Connection, type Parts } from './connection/connection.ts';
import { registerServerCommands } from './connection/serverCommands.ts';
import { registerGraph } from './graph/register.ts';
import { registerHosts } from './hosts/register.ts';
import type { LogDocuments } from './logs/documents.ts';
import { registerLogs } from './logs/register.ts';
import { registerNotifications } from './notify/notify.ts';
import { registerRunCommands } from './run/commands.ts';
import { Memory } from './run/memory.ts';
import { RunRegistry } from './runs/registry.ts';
import { registerStatusBar } from './status/statusBar.ts';
import { registerTasks } from './tasks/tasks.ts';
import { registerTerminal } from './terminal/terminal.ts';
import { registerTree } from './tree/register.ts';

/** For tests, which run inside VS Code beside the extension. */
export interface Api extends Parts {
  readonly registry: RunRegistry;
  readonly logs: LogDocuments;
}

export function activate(context: vscode.ExtensionContext): Api {
  const log = vscode.window.createOutputChannel('vbatch', { log: true });
  const connection = new Connection(join(context.extensionPath, 'dist', 'server.cjs'), log);
  const parts: Parts = { connection, log };
  context.subscriptions.push(log, connection);
  const registry = new RunRegistry(connection);
  const memory = new Memory(context.workspaceState);
  context.subscriptions.push(registry);
  registerServerCommands(context, parts);
  registerRunCommands(context, parts, memory);
  registerCodeLens(context, registry, memory);
  registerTerminal(context, parts, registry);
  registerTasks(context, parts);
  registerStatusBar(context, parts, registry);
  registerNotifications(context, parts, registry);
  registerTree(context, parts);
  registerHosts(context, parts);
  const logs = registerLogs(context, parts);
  registerGraph(context, parts);
  connection.begin();
  context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(() => connection.begin()));
  return { ...parts, registry, logs };
}
