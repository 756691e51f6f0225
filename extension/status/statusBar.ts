/** The one item in the status bar, and the menu behind it. */
import * as vscode from 'vscode';
import { registerCommand } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import type { RunRegistry } from '../runs/registry.ts';
import { summarize } from './summary.ts';

export function registerStatusBar(
  context: vscode.ExtensionContext,
  parts: Parts,
  registry: RunRegistry,
): void {
  const item = vscode.window.createStatusBarItem('vbatch.status', vscode.StatusBarAlignment.Left, 10);
  item.name = 'vbatch';
  item.command = 'vbatch.showMenu';
  const show = () => {
    const summary = summarize(parts.connection.state, registry.runs.all());
    const { text, tooltip } = words(summary);
    if (text === item.text && tooltip === item.tooltip) return;
    item.text = text;
    item.tooltip = tooltip;
    item.accessibilityInformation = { label: `vbatch: ${tooltip}` };
    item.backgroundColor =
      summary.kind === 'lost' ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  };
  show();
  item.show();
  context.subscriptions.push(item, parts.connection.onDidChangeState(show), registry.onDidUpdate(show));

  registerCommand(context, parts, 'vbatch.showMenu', async () => {
    const entry = (icon: string, label: string, command: string) => ({
      label: `$(${icon}) ${label}`,
      command,
    });
    const { state } = parts.connection;
    // One of another version runs as well, and is only restarted.
    const isThere = state.kind === 'connected' || (state.kind === 'lost' && state.mismatch);
    const picked = await vscode.window.showQuickPick(
      [
        entry('list-tree', vscode.l10n.t('Show Tasks'), 'vbatch.tasks.focus'),
        entry('server', vscode.l10n.t('Show Hosts & Pools'), 'vbatch.hosts.focus'),
        entry('play', vscode.l10n.t('Run the File in the Editor'), 'vbatch.run'),
        isThere
          ? entry('debug-restart', vscode.l10n.t('Restart Server'), 'vbatch.server.restart')
          : entry('debug-start', vscode.l10n.t('Start Server'), 'vbatch.server.start'),
        entry('output', vscode.l10n.t('Show Server Log'), 'vbatch.server.showLog'),
        entry('gear', vscode.l10n.t('Settings'), 'vbatch.openSettings'),
      ],
      { title: 'vbatch', placeHolder: words(summarize(state, registry.runs.all())).tooltip },
    );
    if (picked !== undefined) await vscode.commands.executeCommand(picked.command);
  });
  registerCommand(context, parts, 'vbatch.openSettings', () =>
    vscode.commands.executeCommand('workbench.action.openSettings', '@ext:vbatch.vbatch'),
  );
}

function words(summary: ReturnType<typeof summarize>): { text: string; tooltip: string } {
  switch (summary.kind) {
    case 'idle':
      return {
        text: '$(type-hierarchy-sub) vbatch',
        tooltip: vscode.l10n.t('no server runs; the first task starts it'),
      };
    case 'connecting':
      return { text: '$(loading~spin) vbatch', tooltip: vscode.l10n.t('connecting to the server') };
    case 'lost':
      return { text: '$(debug-disconnect) vbatch', tooltip: summary.reason };
    case 'runs':
      return summary.active === 0
        ? { text: '$(type-hierarchy-sub) vbatch', tooltip: vscode.l10n.t('nothing runs') }
        : {
            text: `$(sync~spin) vbatch ${summary.active}`,
            tooltip:
              summary.active === 1
                ? vscode.l10n.t('1 run is under way')
                : vscode.l10n.t('{0} runs are under way', summary.active),
          };
  }
}
