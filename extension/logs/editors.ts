/** What editors of logs look at: the end while that is followed, else what the person has chosen. */
import * as vscode from 'vscode';
import { keySetter } from '../contextKeys.ts';
import type { LinePlace, LogDocument } from './document.ts';
import type { LogDocuments } from './documents.ts';
import { largestCompared } from './session.ts';

/** A place that is to be shown once the document has it. */
export interface Wanted extends LinePlace {
  /** What to select in that line. */
  readonly text?: string;
  /** As the first line that is seen, and not in the middle. */
  readonly atTop?: boolean;
}

const beginning = new vscode.Position(0, 0);

export class LogEditors implements vscode.Disposable {
  private readonly listening: vscode.Disposable[];
  /** Versions of documents whose end an editor has shown: what moves up within one was moved by a person. */
  private readonly ends = new WeakMap<vscode.TextEditor, number>();
  /** The first line that each editor has shown last. */
  private readonly tops = new WeakMap<vscode.TextEditor, number>();
  private readonly wanted = new Map<string, Wanted>();
  /** Logs whose end somebody has asked for: the cursor goes there as well, or the next arrow key would lead away. */
  private readonly ending = new Set<string>();
  /** VS Code makes a new one each time that a document is turned to. */
  private readonly seen = new WeakSet<vscode.TextEditor>();
  private readonly setKey = keySetter();

  constructor(private readonly documents: LogDocuments) {
    this.listening = [
      documents.onDidRender((document) => this.rendered(document)),
      vscode.window.onDidChangeVisibleTextEditors((editors) => this.appeared(editors)),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => this.moved(textEditor)),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind, selections }) => {
        const document = documents.get(textEditor.document.uri);
        if (document === undefined || kind === undefined) return;
        if (kind === vscode.TextEditorSelectionChangeKind.Command) return;
        // Who has gone somewhere is not taken elsewhere any more.
        this.wanted.delete(document.uri.toString());
        this.ending.delete(document.uri.toString());
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

  /** Shows the end of a log, and follows it. */
  followEnd(document: LogDocument): void {
    this.ending.add(document.uri.toString());
    document.session.setFollowing(true);
    this.rendered(document);
  }

  dispose(): void {
    for (const each of this.listening) each.dispose();
  }

  private rendered(document: LogDocument): void {
    const key = document.uri.toString();
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.toString() === key) this.arrange(editor, document);
    }
    this.tell();
  }

  private appeared(editors: readonly vscode.TextEditor[]): void {
    for (const editor of editors) {
      const document = this.documents.get(editor.document.uri);
      if (document === undefined || this.seen.has(editor)) continue;
      this.seen.add(editor);
      this.arrange(editor, document);
      const { selection } = editor;
      // Keys begin at the end and not at the top. The cursor stays there when more is written.
      if (this.looksAtEnd(document) && selection.isEmpty && selection.active.isEqual(beginning))
        editor.selection = new vscode.Selection(endOf(editor), endOf(editor));
    }
  }

  private arrange(editor: vscode.TextEditor, document: LogDocument): void {
    const { begin } = document.session;
    editor.options = {
      lineNumbers: begin === 0 ? vscode.TextEditorLineNumbersStyle.On : vscode.TextEditorLineNumbersStyle.Off,
    };
    if (this.reveal(editor, document) || !this.looksAtEnd(document)) return;
    const end = endOf(editor);
    const isWhole = document.shown === document.latest;
    if (isWhole && this.ending.delete(document.uri.toString())) {
      editor.selection = new vscode.Selection(end, end);
    }
    // Whoever has just gone elsewhere would be taken back.
    if (editor.visibleRanges.at(-1)?.end.line !== end.line) editor.revealRange(new vscode.Range(end, end));
  }

  private looksAtEnd({ session, uri }: LogDocument): boolean {
    return session.following && session.growing && !this.wanted.has(uri.toString());
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
    const { AtTop, InCenter } = vscode.TextEditorRevealType;
    editor.revealRange(editor.selection, place.atTop ? AtTop : InCenter);
    return true;
  }

  private moved(editor: vscode.TextEditor): void {
    const document = this.documents.get(editor.document.uri);
    const last = editor.visibleRanges.at(-1);
    // What is about to be shown is not where somebody has gone to.
    if (document === undefined || last === undefined || this.wanted.has(document.uri.toString())) return;
    const { version, lineCount } = editor.document;
    const { session } = document;
    const top = editor.visibleRanges[0]?.start.line ?? 0;
    // Lines are only added to a document that is not replaced as a whole: nobody but a person goes up in it.
    const isUp = session.lines.length < largestCompared && top < (this.tops.get(editor) ?? 0);
    this.tops.set(editor, top);
    if (last.end.line >= lineCount - 1) {
      this.ends.set(editor, version);
      if (session.growing) session.setFollowing(true);
    } else if (isUp || this.ends.get(editor) === version) session.setFollowing(false);
    const line = document.shown[top];
    if (line !== undefined) document.top = { position: line.position, stream: line.stream };
  }

  /** Tells menus what can be done with the log that has the focus. */
  private tell(): void {
    const document = this.documents.active();
    const session = document?.session;
    const isOver = session?.over ?? false;
    const isFollowing = session !== undefined && !isOver && session.following && session.growing;
    this.setKey('vbatch.log.over', isOver);
    this.setKey('vbatch.log.following', isFollowing);
    this.setKey('vbatch.log.hasEarlier', session !== undefined && session.begin > 0);
    this.setKey('vbatch.log.hasLater', session?.hasLater ?? false);
    this.setKey('vbatch.log.hasAttempts', (document?.task?.attempts.length ?? 0) > 1);
  }
}

function endOf({ document }: vscode.TextEditor): vscode.Position {
  return new vscode.Position(document.lineCount - 1, 0);
}
