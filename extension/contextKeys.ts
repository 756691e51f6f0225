/** Context keys for when-clauses. */
import * as vscode from 'vscode';

/** Sets context keys where they are news: setting one crosses to the window, whether it is or not. */
export function keySetter(): (key: string, value: string | boolean) => void {
  const known = new Map<string, string | boolean>();
  return (key, value) => {
    if (known.get(key) === value) return;
    known.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
}
