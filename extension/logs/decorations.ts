/** Colours of what commands have coloured, the mark of stderr, and the note below a log. Only what can be seen is decorated. */
import * as vscode from 'vscode';
import { hexOf, readableOn } from '../../logtext/contrast.ts';
import type { LogLine } from '../../logtext/lines.ts';
import type { Colour, Style } from '../../logtext/style.ts';
import type { LogDocument } from './document.ts';
import type { LogDocuments } from './documents.ts';
import { stateText } from './words.ts';

/** Lines above and below what can be seen that are decorated as well, for those who scroll. */
const margin = 150;
/** More styles than anybody uses on purpose: beyond it the oldest is given up. */
const maxStyles = 300;

/** What text is readable on, in about any theme of the kind. */
const backgrounds = { dark: '#252526', light: '#ffffff' } as const;
/** Of these two a light theme has no tone that is dark enough: such as VS Code's are, but darker. */
const darkYellow = readableOn('#949800', backgrounds.light);
const darkCyan = readableOn('#0598bc', backgrounds.light);
/** What is shown instead of a colour of the theme that is too near to its background. */
const instead: Record<'dark' | 'light', Readonly<Record<number, number | string>>> = {
  dark: { 0: 'descriptionForeground', 1: 9, 4: 12, 5: 13, 8: 'descriptionForeground' },
  light: {
    3: darkYellow,
    6: darkCyan,
    9: 1,
    10: 2,
    11: darkYellow,
    12: 4,
    13: 5,
    14: darkCyan,
    15: 'descriptionForeground',
  },
};

const themeColours = ['Black', 'Red', 'Green', 'Yellow', 'Blue', 'Magenta', 'Cyan', 'White'];

export class LogDecorations implements vscode.Disposable {
  private readonly stderr = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('vbatch.log.stderrBackground'),
    borderColor: new vscode.ThemeColor('vbatch.log.stderrBorder'),
    borderStyle: 'solid',
    borderWidth: '0 0 0 2px',
    overviewRulerColor: new vscode.ThemeColor('vbatch.log.stderrBorder'),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
  });
  private readonly note = vscode.window.createTextEditorDecorationType({
    after: { color: new vscode.ThemeColor('vbatch.log.noteForeground'), fontStyle: 'italic' },
  });
  private readonly styles = new Map<string, vscode.TextEditorDecorationType>();
  private readonly listening: vscode.Disposable[];

  constructor(private readonly documents: LogDocuments) {
    this.listening = [
      documents.onDidRender((document) => {
        for (const editor of vscode.window.visibleTextEditors) {
          if (editor.document.uri.toString() === document.uri.toString()) this.decorate(editor, document);
        }
      }),
      vscode.window.onDidChangeVisibleTextEditors((editors) => this.decorateAll(editors)),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => this.decorateAll([textEditor])),
    ];
    this.decorateAll(vscode.window.visibleTextEditors);
  }

  dispose(): void {
    for (const each of this.listening) each.dispose();
    for (const type of [this.stderr, this.note, ...this.styles.values()]) type.dispose();
  }

  private decorateAll(editors: readonly vscode.TextEditor[]): void {
    for (const editor of editors) {
      const document = this.documents.get(editor.document.uri);
      if (document !== undefined) this.decorate(editor, document);
    }
  }

  private decorate(editor: vscode.TextEditor, document: LogDocument): void {
    const lines = document.shown;
    const ranges = new Map<string, { style: Style; ranges: vscode.Range[] }>();
    const ofStderr: vscode.Range[] = [];
    for (const { start, end } of editor.visibleRanges) {
      const last = Math.min(end.line + margin, lines.length - 1);
      for (let at = Math.max(0, start.line - margin); at <= last; at++) {
        const line = lines[at] as LogLine;
        if (line.stream === 'stderr') ofStderr.push(new vscode.Range(at, 0, at, line.text.length));
        for (const span of line.spans) {
          const key = keyOf(span.style);
          const known = ranges.get(key) ?? { style: span.style, ranges: [] };
          known.ranges.push(new vscode.Range(at, span.start, at, span.end));
          ranges.set(key, known);
        }
      }
    }
    editor.setDecorations(this.stderr, ofStderr);
    for (const [key, { style }] of ranges) this.typeFor(key, style);
    for (const [key, type] of this.styles) editor.setDecorations(type, ranges.get(key)?.ranges ?? []);
    editor.setDecorations(this.note, this.notes(editor, document));
  }

  /** What is to be said at the end: why it does not go on, and how it has ended. */
  private notes(editor: vscode.TextEditor, document: LogDocument): vscode.DecorationOptions[] {
    const { session } = document;
    const state = this.documents.stateOf(document);
    const text = session.failure ?? (session.growing && state.kind !== 'running' ? stateText(state) : null);
    if (text === null) return [];
    const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
    const margin = end.character === 0 ? '0' : '0 0 0 2em';
    return [{ range: new vscode.Range(end, end), renderOptions: { after: { contentText: text, margin } } }];
  }

  private typeFor(key: string, style: Style): void {
    if (this.styles.has(key)) return;
    if (this.styles.size >= maxStyles) {
      const [oldest, type] = [...this.styles][0] ?? [];
      type?.dispose();
      if (oldest !== undefined) this.styles.delete(oldest);
    }
    this.styles.set(key, vscode.window.createTextEditorDecorationType(look(style)));
  }
}

function keyOf(style: Style): string {
  return Object.values(style).join();
}

function look(style: Style): vscode.DecorationRenderOptions {
  const lines = [style.underline && 'underline', style.struck && 'line-through'].filter(Boolean).join(' ');
  return {
    ...colours(style),
    ...(style.bold && { fontWeight: 'bold' }),
    ...(style.italic && { fontStyle: 'italic' }),
    ...(style.dim && { opacity: '0.7' }),
    ...(lines !== '' && { textDecoration: lines }),
  };
}

function colours({ foreground, background, inverse }: Style): vscode.DecorationRenderOptions {
  const [front, back] = inverse ? [background, foreground] : [foreground, background];
  if (back !== null) {
    // Of two colours of a theme nobody here knows whether one can be read on the other.
    const behind = hexOf(back);
    return { backgroundColor: behind, color: readableOn(front === null ? null : hexOf(front), behind) };
  }
  if (inverse) {
    return {
      backgroundColor: new vscode.ThemeColor('editor.foreground'),
      color: front === null ? new vscode.ThemeColor('editor.background') : hexOf(front),
    };
  }
  if (front === null) return {};
  return { dark: { color: onTheme(front, 'dark') }, light: { color: onTheme(front, 'light') } };
}

/** The first 16 are the theme's, as in a terminal, but for those that cannot be read on its background. */
function onTheme(colour: Colour, kind: keyof typeof instead): vscode.ThemeColor | string {
  if (typeof colour === 'string' || colour >= 16) return readableOn(hexOf(colour), backgrounds[kind]);
  const shown = instead[kind][colour] ?? colour;
  if (typeof shown === 'string') return shown.startsWith('#') ? shown : new vscode.ThemeColor(shown);
  return new vscode.ThemeColor(`terminal.ansi${shown >= 8 ? 'Bright' : ''}${themeColours[shown % 8]}`);
}
