/** All logs that are open in the window. */
import * as vscode from 'vscode';
import type { HostView } from '../../server/protocol/tasks.ts';
import type { Connection } from '../connection/connection.ts';
import { addressParts, type LogAddress, logScheme, parseAddress } from './address.ts';
import { type LinePlace, LogDocument } from './document.ts';
import { type AttemptState, attemptState } from './state.ts';

export class LogDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly open = new Map<string, LogDocument>();
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  private readonly renderings = new vscode.EventEmitter<LogDocument>();
  private readonly listening: vscode.Disposable[];
  private hosts: readonly HostView[] = [];
  readonly onDidChange = this.changes.event;
  /** A log shows something else, or there is something else to say about it. */
  readonly onDidRender = this.renderings.event;

  constructor(private readonly connection: Connection) {
    this.listening = [
      this.changes,
      this.renderings,
      vscode.workspace.registerTextDocumentContentProvider(logScheme, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.get(document.uri)?.taken()),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri)),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        for (const { input } of closed) {
          if (input instanceof vscode.TabInputText && !isShown(input.uri)) this.forget(input.uri);
        }
      }),
      connection.onDidReceive((event) => {
        if (event.type === 'hosts') {
          this.hosts = event.hosts;
          for (const document of this.open.values()) this.renderings.fire(document);
        } else if (event.type === 'tasks') {
          for (const { id } of event.tasks) this.refresh(id);
        }
      }),
      connection.onDidChangeState(({ kind }) => {
        if (kind !== 'connected') return;
        for (const document of this.open.values()) void document.session.retry();
      }),
    ];
  }

  /** The log of this address, if it is open. */
  get(uri: vscode.Uri): LogDocument | undefined {
    return uri.scheme === logScheme ? this.open.get(uri.toString()) : undefined;
  }

  /** The log in the editor that has the focus. */
  active(): LogDocument | undefined {
    const uri = vscode.window.activeTextEditor?.document.uri;
    return uri && this.get(uri);
  }

  stateOf({ task, address, session }: LogDocument): AttemptState {
    return attemptState(task, address.attempt, this.hosts, session.whole);
  }

  /** The log of an attempt that is about to be opened, and where: at a line, or at its end. */
  prepare(address: LogAddress, place: LinePlace | null): LogDocument {
    return this.ensure(uriOf(address), address, place);
  }

  /** Opens the log of an attempt in an editor, at its end. */
  async show(address: LogAddress, { preserveFocus = false } = {}): Promise<vscode.TextEditor> {
    const uri = uriOf(address);
    const known = this.open.has(uri.toString());
    const log = this.ensure(uri, address);
    await log.begin();
    const document = await vscode.workspace.openTextDocument(uri);
    // VS Code keeps documents for a while after their last editor is gone.
    if (!known && document.getText() !== log.session.lines.text()) this.changes.fire(uri);
    return vscode.window.showTextDocument(document, { preview: true, preserveFocus });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const address = parseAddress(uri);
    if (address === null) return '';
    const isNew = (this.get(uri)?.shown.length ?? 0) === 0;
    const log = this.ensure(uri, address);
    await log.begin();
    const text = log.content();
    // A document that is new is changed by nobody.
    if (isNew) setImmediate(() => log.taken());
    return text;
  }

  dispose(): void {
    for (const each of this.listening) each.dispose();
    for (const document of this.open.values()) document.dispose();
    this.open.clear();
  }

  private ensure(uri: vscode.Uri, address: LogAddress, place: LinePlace | null = null): LogDocument {
    const key = uri.toString();
    let document = this.open.get(key);
    if (document === undefined) {
      const listener = {
        stale: (stale: vscode.Uri) => this.changes.fire(stale),
        rendered: (rendered: LogDocument) => this.renderings.fire(rendered),
      };
      document = new LogDocument(uri, address, this.connection, listener, place);
      this.open.set(key, document);
    }
    return document;
  }

  private refresh(id: string): void {
    for (const document of this.open.values()) if (document.address.id === id) void document.refresh();
  }

  private forget(uri: vscode.Uri): void {
    this.get(uri)?.dispose();
    this.open.delete(uri.toString());
  }
}

function uriOf(address: LogAddress): vscode.Uri {
  return vscode.Uri.from({ scheme: logScheme, ...addressParts(address) });
}

function isShown(uri: vscode.Uri): boolean {
  const wanted = uri.toString();
  return vscode.window.tabGroups.all.some(({ tabs }) =>
    tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === wanted),
  );
}
