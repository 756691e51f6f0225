/** Looks for a text in a whole log, on the server, and shows the lines as they are found. */
import * as vscode from 'vscode';
import type { LogSearchMessage } from '../../server/protocol/logQueries.ts';
import { showFailure } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import type { LogDocument } from './document.ts';
import type { LogEditors } from './editors.ts';
import { sizeText } from './words.ts';

interface Sought {
  readonly text: string;
  readonly matchCase: boolean;
}

interface HitItem extends vscode.QuickPickItem {
  readonly hit: LogSearchMessage & { type: 'hit' };
}

/** The list is drawn anew at most so often, in milliseconds: a common word is found many times in no time. */
const pause = 100;

let last: Sought = { text: '', matchCase: false };

/** Asks for a text, unless it is given, and for one of the lines that hold it; goes to that. */
export async function searchLog(
  parts: Parts,
  document: LogDocument,
  editors: LogEditors,
  text?: string,
): Promise<void> {
  const sought = text === undefined ? await askForText() : { text, matchCase: false };
  if (sought === null || sought.text === '') return;
  last = sought;
  const hit = await pickHit(parts, document, sought);
  if (hit === null) return;
  const { session } = document;
  if (session.lineAt(hit.position, hit.stream) === null) await session.showAround(hit.position);
  else session.setFollowing(false);
  await vscode.window.showTextDocument(document.uri, { preview: false });
  editors.want(document, { position: hit.position, stream: hit.stream, text: sought.text });
}

function askForText(): Promise<Sought | null> {
  const input = vscode.window.createInputBox();
  const buttonFor = (matchCase: boolean): vscode.QuickInputButton => ({
    iconPath: new vscode.ThemeIcon(matchCase ? 'case-sensitive' : 'text-size'),
    tooltip: matchCase
      ? vscode.l10n.t('Capitals count; click to pass over them')
      : vscode.l10n.t('Capitals do not count; click to match them'),
  });
  const selection = vscode.window.activeTextEditor;
  const selected = selection?.selection.isSingleLine ? selection.document.getText(selection.selection) : '';
  let { matchCase } = last;
  input.title = vscode.l10n.t('Search the whole log');
  input.value = selected === '' ? last.text : selected;
  input.placeholder = vscode.l10n.t('Text within one line');
  input.buttons = [buttonFor(matchCase)];
  return new Promise((resolve) => {
    input.onDidTriggerButton(() => {
      matchCase = !matchCase;
      input.buttons = [buttonFor(matchCase)];
    });
    input.onDidAccept(() => {
      resolve({ text: input.value, matchCase });
      input.dispose();
    });
    input.onDidHide(() => {
      resolve(null);
      input.dispose();
    });
    input.show();
  });
}

function pickHit(parts: Parts, { address }: LogDocument, sought: Sought): Promise<HitItem['hit'] | null> {
  const pick = vscode.window.createQuickPick<HitItem>();
  const abort = new AbortController();
  const items: HitItem[] = [];
  let drawn = 0;
  pick.busy = true;
  pick.matchOnDescription = true;
  pick.title = vscode.l10n.t('Searching for "{0}"…', sought.text);
  pick.placeholder = vscode.l10n.t('Type to narrow down the lines found');
  const draw = () => {
    drawn = performance.now();
    const [active] = pick.activeItems;
    pick.items = [...items];
    if (active !== undefined) pick.activeItems = [active];
  };
  const search = async () => {
    const client = await parts.connection.client();
    const query = { attempt: address.attempt, ...sought };
    for await (const message of client.searchLog(address.id, query, abort.signal)) {
      if (message.type === 'hit') items.push(itemOf(message));
      else pick.title = titleOf(sought, message, items.length);
      if (performance.now() - drawn > pause) draw();
    }
  };
  const searching = search()
    .catch((error: unknown) => {
      if (!abort.signal.aborted) showFailure(parts, error);
    })
    .finally(() => {
      if (abort.signal.aborted) return;
      pick.busy = false;
      draw();
    });
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const [chosen] = pick.selectedItems;
      // Nothing may have been found yet.
      if (chosen === undefined) return;
      resolve(chosen.hit);
      pick.hide();
    });
    pick.onDidHide(() => {
      abort.abort();
      resolve(null);
      void searching.then(() => pick.dispose());
    });
    pick.show();
  });
}

function itemOf(hit: HitItem['hit']): HitItem {
  // In labels, `$(…)` is an icon.
  const label = hit.text.replaceAll('$(', '$ (').trim() || ' ';
  const description = vscode.l10n.t('line {0} of {1}', hit.line, hit.stream);
  return { label, description, hit };
}

function titleOf(
  { text }: Sought,
  message: Exclude<LogSearchMessage, { type: 'hit' }>,
  count: number,
): string {
  switch (message.type) {
    case 'progress':
      return vscode.l10n.t(
        'Searching for "{0}": {1} found, {2} of {3}',
        text,
        count,
        sizeText(message.searched),
        sizeText(message.size),
      );
    case 'end':
      if (!message.complete) return vscode.l10n.t('The first {0} lines with "{1}"', count, text);
      return count === 1
        ? vscode.l10n.t('1 line with "{0}" in {1}', text, sizeText(message.size))
        : vscode.l10n.t('{0} lines with "{1}" in {2}', count, text, sizeText(message.size));
    case 'failed':
      return message.error.message;
  }
}
