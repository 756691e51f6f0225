/** The sidebar's hosts and pools: the view and its commands. */
import * as vscode from 'vscode';
import type { Parts } from '../connection/connection.ts';
import { registerHostActions } from './hostActions.ts';
import { HostsView } from './hostsView.ts';

export function registerHosts(context: vscode.ExtensionContext, parts: Parts): void {
  const { connection } = parts;
  const view = new HostsView(parts);
  const setEmpty = (isEmpty: boolean) =>
    vscode.commands.executeCommand('setContext', 'vbatch.hosts.empty', isEmpty);
  context.subscriptions.push(
    view,
    connection.onDidReceive((event) => {
      if (event.type === 'hosts') {
        void setEmpty(false);
        view.setHosts(event.hosts);
      } else if (event.type === 'tasks') view.askForUsage();
    }),
    connection.onDidChangeState((state) => {
      // What is known of a server that is lost for a moment stays; of one of another version the tasks' view speaks.
      const isOther = state.kind === 'lost' && state.mismatch;
      if (state.kind === 'idle' || isOther) view.clear();
      const isThere = state.kind === 'connecting' || state.kind === 'connected';
      void setEmpty(!isThere && !isOther && view.names.length === 0);
    }),
  );
  registerHostActions(context, parts, view);
  void setEmpty(connection.state.kind === 'idle');
}
