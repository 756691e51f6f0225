/** What editors of logs look at: the end while that is followed, else what the person has chosen. */
import * as vscode from 'vscode';
import type { Stream } from '../../logtext/lines.ts';
import type { LogDocument } from './document.ts';
import type { LogDocuments } from './documents.ts';

/** A place that is to be shown once the document has it. */
export interface Wanted {
  readonly position: number;
  readonly stream: Stream;
  /** What to select in that line. */
  readonly text?: string;
}

export class LogEditors implements vscode.Disposable {
  private readonly listening: vscode.Disposable[];
  /** Versions of documents whose end an editor has shown: what moves up within one was moved by a person. */
  private readonly ends = new WeakMap<vscode.TextEditor, number>();
  private readonly wanted = new Map<string, Wanted>();

  constructor(private readonly documents: LogDocuments) {
    this.listening = [
      documents.onDidRender((document) => this.rendered(document)),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => this.moved(textEditor)),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind, selections }) => {
        const document = documents.get(textEditor.document.uri);
        if (document === undefined || kind === undefined) return;
        if (kind === vscode.TextEditorSelectionChangeKind.Command) return;
        const isAtEnd = selections.every(({ active }) => active.line >= textEditor.document.lineCount - 1);
        if (!isAtEnd) document.session.setFollowing(false);
      }),
      vscode.window.onDidChangeActiveTextEditor(() => this.tell()),
    ];
    this.tell();
  }

  /** Shows a place of a log as soon as its document has it. */
  want(document: LogDocument, place: Wanted): void {
    this.wanted.set(document.uri.toString(), place);
    this.rendered(document);
  }

  dispose(): void {
    for (const each of this.listening) each.dispose();
  }

  private rendered(document: LogDocument): void {
    const key = document.uri.toString();
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.toString() !== key) continue;
      const { begin } = document.session;
      editor.options = {
        lineNumbers:
          begin === 0 ? vscode.TextEditorLineNumbersStyle.On : vscode.TextEditorLineNumbersStyle.Off,
      };
      if (this.reveal(editor, document)) continue;
      if (document.session.following && document.session.growing) revealEnd(editor);
    }
    this.tell();
  }

  /** Whether there is a place that is wanted, and it has been shown. */
  private reveal(editor: vscode.TextEditor, document: LogDocument): boolean {
    const key = document.uri.toString();
    const place = this.wanted.get(key);
    if (place === undefined || document.shown !== document.latest) return false;
    const at = document.session.lineAt(place.position, place.stream);
    if (at === null || at >= editor.document.lineCount) return false;
    this.wanted.delete(key);
    const { text } = editor.document.lineAt(at);
    const found = place.text === undefined ? -1 : text.toLowerCase().indexOf(place.text.toLowerCase());
    const [from, to] = found < 0 ? [0, 0] : [found, found + (place.text?.length ?? 0)];
    editor.selection = new vscode.Selection(at, from, at, to);
    editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenter);
    return true;
  }

  private moved(editor: vscode.TextEditor): void {
    const document = this.documents.get(editor.document.uri);
    const last = editor.visibleRanges.at(-1);
    if (document === undefined || last === undefined) return;
    const { version, lineCount } = editor.document;
    if (last.end.line >= lineCount - 1) {
      this.ends.set(editor, version);
      if (document.session.growing) document.session.setFollowing(true);
    } else if (this.ends.get(editor) === version) document.session.setFollowing(false);
  }

  /** Tells menus what can be done with the log that has the focus. */
  private tell(): void {
    const document = this.documents.active();
    const set = (key: string, value: boolean) => vscode.commands.executeCommand('setContext', key, value);
    const session = document?.session;
    void set('vbatch.log.following', session !== undefined && session.following && session.growing);
    void set('vbatch.log.hasEarlier', session !== undefined && session.begin > 0);
    void set('vbatch.log.hasLater', session !== undefined && !session.growing && session.end < session.size);
    void set('vbatch.log.hasAttempts', (document?.task?.attempts.length ?? 0) > 1);
  }
}

function revealEnd(editor: vscode.TextEditor): void {
  const last = editor.document.lineCount - 1;
  editor.revealRange(new vscode.Range(last, 0, last, 0));
}
