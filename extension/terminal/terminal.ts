/** vbatch in every integrated terminal: on PATH, with ids that are links, and shells on hosts. */
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { VbatchError } from '../../server/protocol/errors.ts';
import { registerCommand } from '../commands.ts';
import { type Parts, requireTrust } from '../connection/connection.ts';
import { openFolders } from '../folders.ts';
import { describe } from '../run/pickPool.ts';
import type { RunRegistry } from '../runs/registry.ts';
import { idsIn } from './ids.ts';
import { programCommand } from './programs.ts';

interface IdLink extends vscode.TerminalLink {
  readonly id: string;
}

export function registerTerminal(
  context: vscode.ExtensionContext,
  parts: Parts,
  registry: RunRegistry,
): void {
  furnish(context);
  const links: vscode.TerminalLinkProvider<IdLink> = {
    provideTerminalLinks: ({ line }) =>
      idsIn(line, (id) => registry.runs.has(id)).map(({ start, id }) => ({
        startIndex: start,
        length: id.length,
        tooltip: vscode.l10n.t('Open the log'),
        id,
      })),
    handleTerminalLink: async ({ id }) => {
      await vscode.commands.executeCommand('vbatch.task.openLog', { id });
    },
  };
  context.subscriptions.push(
    vscode.window.registerTerminalLinkProvider(links),
    vscode.window.registerTerminalProfileProvider('vbatch.hostShell', {
      // VS Code shows what is thrown. It takes no profile for a failure, too, and would say so in its own words.
      provideTerminalProfile: async () => {
        const options = await askShell(context, parts);
        if (options !== undefined) return new vscode.TerminalProfile(options);
        throw new VbatchError('refused', vscode.l10n.t('No pool was chosen, so no shell is opened.'));
      },
    }),
  );
  registerCommand(context, parts, 'vbatch.hostShell', async () => {
    const options = await askShell(context, parts);
    if (options !== undefined) vscode.window.createTerminal(options).show();
  });
}

/** The programs run on VS Code's own Node, so that they work where a person has none. */
function furnish({
  environmentVariableCollection: variables,
  extensionPath,
  subscriptions,
}: vscode.ExtensionContext): void {
  const when = { applyAtProcessCreation: true, applyAtShellIntegration: true };
  variables.description = vscode.l10n.t('Adds vbatch, vrun and vctl to PATH');
  variables.prepend('PATH', join(extensionPath, 'dist', 'bin') + delimiter, when);
  variables.replace('VBATCH_NODE', process.execPath, when);
  // What is submitted there knows by this which folder travels.
  const tellFolders = () => {
    const folders = openFolders().filter((folder) => !folder.includes(delimiter));
    variables.replace('VBATCH_OPENED', folders.join(delimiter), when);
  };
  tellFolders();
  subscriptions.push(vscode.workspace.onDidChangeWorkspaceFolders(tellFolders));
}

/** Asks for a pool, for that decides on the host and what of it the shell holds. Undefined where left. */
async function askShell(
  context: vscode.ExtensionContext,
  { connection }: Parts,
): Promise<vscode.TerminalOptions | undefined> {
  requireTrust();
  // There the editor's program is none of the console, and such a one cannot read what is typed.
  if (process.platform === 'win32' && process.versions.electron !== undefined) {
    const text = vscode.l10n.t('On Windows no shell on a host can be opened in VS Code; open one with ssh.');
    throw new VbatchError('refused', text);
  }
  // It begins outside of the workspace, whose own pools are not known there.
  const pools = connection.client().then((client) => client.pools(null));
  const items = pools.then((found) =>
    found.map((pool) => ({ label: pool.name, ...describe(pool), iconPath: new vscode.ThemeIcon('server') })),
  );
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Shell on a host'),
    placeHolder: vscode.l10n.t('Pool whose host, CPUs and GPUs the shell is to have'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (picked === undefined) return undefined;
  const words = shellWords(picked.label, openFolders()[0] ?? '');
  const { program, args, env } = programCommand(context.extensionPath, 'vrun', words);
  return {
    name: vscode.l10n.t('shell on {0}', picked.label),
    iconPath: new vscode.ThemeIcon('remote'),
    shellPath: program,
    shellArgs: args,
    env,
    isTransient: true,
  };
}

/** A login shell in this window's folder where the host has one, else at home. */
function shellWords(pool: string, folder: string): string[] {
  const script = 'cd "$1" 2>/dev/null || cd; exec "${SHELL:-/bin/sh}" -l';
  return ['-t', '-C', '/', '-P', pool, '--name', 'shell', 'sh', '-c', script, 'shell', folder];
}
