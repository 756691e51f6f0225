/** What stands above a log: what is known of the attempt, and the ways to the rest where this is only a part. */
import * as vscode from 'vscode';
import { logScheme } from './address.ts';
import type { LogDocument } from './document.ts';
import type { LogDocuments } from './documents.ts';
import { sizeText, stateText } from './words.ts';

export class LogLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  private readonly listening: vscode.Disposable[];
  /** The titles of each log as VS Code has been told last that there are others. */
  private readonly told = new WeakMap<LogDocument, string>();
  readonly onDidChangeCodeLenses = this.changes.event;

  constructor(private readonly documents: LogDocuments) {
    this.listening = [
      this.changes,
      vscode.languages.registerCodeLensProvider({ scheme: logScheme }, this),
      documents.onDidRender((document) => {
        const titles = this.lensesOf(document, 0).map(({ command }) => command?.title);
        const now = titles.join();
        if (now !== this.told.get(document)) this.changes.fire();
        this.told.set(document, now);
      }),
    ];
  }

  provideCodeLenses({ uri, lineCount }: vscode.TextDocument): vscode.CodeLens[] {
    const document = this.documents.get(uri);
    return document === undefined ? [] : this.lensesOf(document, lineCount - 1);
  }

  dispose(): void {
    for (const each of this.listening) each.dispose();
  }

  private lensesOf(document: LogDocument, lastLine: number): vscode.CodeLens[] {
    const { session, task, address } = document;
    const { begin, end, size, growing, held } = session;
    const lens = (line: number, title: string, command: string) =>
      new vscode.CodeLens(new vscode.Range(line, 0, line, 0), { title, command, arguments: [document.uri] });
    const attempts = task?.attempts.length ?? 0;
    const which = attempts > 1 ? [vscode.l10n.t('attempt {0} of {1}', address.attempt, attempts)] : [];
    const state = session.failure ?? stateText(this.documents.stateOf(document));
    const title = [...which, ...(state === null ? [] : [state]), sizeText(size)].join(' · ');
    const lenses = [lens(0, title, attempts > 1 ? 'vbatch.log.otherAttempt' : '')];
    if (begin > 0) {
      lenses.push(
        lens(0, `$(arrow-up) ${vscode.l10n.t('{0} earlier', sizeText(begin))}`, 'vbatch.log.earlier'),
        lens(0, vscode.l10n.t('beginning'), 'vbatch.log.beginning'),
        lens(0, `$(search) ${vscode.l10n.t('search all')}`, 'vbatch.log.search'),
      );
    }
    if (held) {
      lenses.push(lens(lastLine, `$(arrow-down) ${vscode.l10n.t('more output')}`, 'vbatch.log.follow'));
    }
    if (!growing && end < size) {
      lenses.push(
        lens(
          lastLine,
          `$(arrow-down) ${vscode.l10n.t('{0} later', sizeText(size - end))}`,
          'vbatch.log.later',
        ),
        lens(lastLine, vscode.l10n.t('end'), 'vbatch.log.follow'),
      );
    }
    return lenses;
  }
}
