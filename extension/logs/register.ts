/** Logs of tasks in editors: the documents, what they show, and the commands about them. */
import * as vscode from 'vscode';
import { VbatchError } from '../../server/protocol/errors.ts';
import { registerCommand, showFailure } from '../commands.ts';
import type { Parts } from '../connection/connection.ts';
import { statusWord } from '../statuses.ts';
import { LogDecorations } from './decorations.ts';
import type { LogDocument } from './document.ts';
import { LogDocuments } from './documents.ts';
import { LogEditors } from './editors.ts';
import { LogLenses } from './lenses.ts';
import { registerLinks } from './links.ts';
import { parsePosition } from './position.ts';
import { registerProblems } from './problems.ts';
import { restoreLogs } from './restore.ts';
import { searchLog } from './search.ts';
import { sizeText } from './words.ts';

/** What names a log: a task, and perhaps one of its attempts instead of the latest. */
interface Target {
  readonly id: string;
  readonly attempt?: number;
  /** It was clicked: the focus stays in the list, unless it is clicked once more. */
  readonly isClick?: boolean;
}

/** What is clicked again so soon is double clicked. Milliseconds. */
const doubleClickMs = 500;

export function registerLogs(context: vscode.ExtensionContext, parts: Parts): LogDocuments {
  const documents = new LogDocuments(parts.connection);
  const editors = new LogEditors(documents);
  context.subscriptions.push(documents, editors, new LogDecorations(documents), new LogLenses(documents));
  context.subscriptions.push(registerLinks(documents), registerProblems(parts));

  let click = { id: '', at: 0 };
  registerCommand(context, parts, 'vbatch.task.openLog', async (target?: Target | string) => {
    const wanted = target ?? (await pickTask(parts));
    if (wanted === null) return;
    const { id, attempt, isClick = false }: Target = typeof wanted === 'string' ? { id: wanted } : wanted;
    const before = click;
    click = { id, at: Date.now() };
    const isDouble = before.id === id && click.at - before.at < doubleClickMs;
    const task = await (await parts.connection.client()).task(id);
    const address = { id: task.id, attempt: attempt ?? Math.max(1, task.attempts.length) };
    const editor = await documents.show(address, { preserveFocus: isClick && !isDouble });
    const document = documents.get(editor.document.uri);
    if (document !== undefined) editors.followEnd(document);
  });
  // A lens passes the address of its document; menus pass that of their editor.
  const about = (action: (document: LogDocument) => unknown) => async (uri?: unknown) => {
    const document = uri instanceof vscode.Uri ? documents.get(uri) : documents.active();
    if (document === undefined)
      throw new VbatchError('refused', vscode.l10n.t('Open the log of a task first.'));
    await action(document);
  };
  const keepingPlace = (move: (document: LogDocument) => Promise<void>) =>
    about(async (document) => {
      const [first] = document.shown;
      await move(document);
      if (first !== undefined) editors.want(document, { position: first.position, stream: first.stream });
    });
  const followEnd = about((document) => editors.followEnd(document));
  registerCommand(context, parts, 'vbatch.log.follow', followEnd);
  registerCommand(context, parts, 'vbatch.log.end', followEnd);
  registerCommand(
    context,
    parts,
    'vbatch.log.release',
    about(({ session }) => session.setFollowing(false)),
  );
  registerCommand(
    context,
    parts,
    'vbatch.log.earlier',
    keepingPlace(({ session }) => session.showEarlier()),
  );
  registerCommand(
    context,
    parts,
    'vbatch.log.later',
    about(async (document) => {
      const last = document.shown.at(-1);
      await document.session.showLater();
      if (last !== undefined) editors.want(document, { position: last.position, stream: last.stream });
    }),
  );
  registerCommand(
    context,
    parts,
    'vbatch.log.beginning',
    about(async (document) => {
      await document.session.showAround(0);
      const [first] = document.session.lines.lines;
      if (first !== undefined) editors.want(document, { position: first.position, stream: first.stream });
    }),
  );
  registerCommand(context, parts, 'vbatch.log.goTo', (uri?: unknown, text?: string) =>
    about(async (document) => {
      const { session } = document;
      const position =
        text === undefined ? await askPosition(session.size) : parsePosition(text, session.size);
      if (position === null) return;
      await session.showAround(position);
      const line = session.lines.lines.findLast((each) => each.position <= position);
      if (line !== undefined) editors.want(document, { position: line.position, stream: line.stream });
    })(uri),
  );
  registerCommand(context, parts, 'vbatch.log.search', (uri?: unknown, text?: string) =>
    about((document) => searchLog(parts, document, editors, text))(uri),
  );
  registerCommand(
    context,
    parts,
    'vbatch.log.otherAttempt',
    about(async ({ address }) => {
      const attempt = await pickAttempt(parts, address.id);
      if (attempt !== null) await documents.show({ id: address.id, attempt });
    }),
  );
  restoreLogs(context, documents, editors).catch((error: unknown) => showFailure(parts, error));
  return documents;
}

/** A place in a log of this size, or null. */
async function askPosition(size: number): Promise<number | null> {
  const typed = await vscode.window.showInputBox({
    title: vscode.l10n.t('Go to a position in the log'),
    prompt: vscode.l10n.t(
      'A part of {0}, such as 50%, or so much from the beginning, such as 1.2M',
      sizeText(size),
    ),
    validateInput: (text) =>
      parsePosition(text, size) === null ? vscode.l10n.t('Write such as 50% or 1.2M') : null,
  });
  return typed === undefined ? null : parsePosition(typed, size);
}

/** One of the newest tasks, at any depth. */
async function pickTask({ connection }: Parts): Promise<string | null> {
  const tasks = connection
    .client()
    .then((client) => client.list({ limit: 200 }))
    .then(({ tasks }) =>
      tasks.map(({ id, status }) => ({ label: id, description: statusWord(status, vscode.l10n) })),
    );
  const title = vscode.l10n.t('Open the log of…');
  return (await vscode.window.showQuickPick(tasks, { title, matchOnDescription: true }))?.label ?? null;
}

async function pickAttempt({ connection }: Parts, id: string): Promise<number | null> {
  const { attempts } = await (await connection.client()).task(id);
  const items = attempts.map(({ number, host, exitCode, reason, startedAt }) => ({
    label: vscode.l10n.t('Attempt {0}', number),
    description: [host, startedAt === null ? '' : new Date(startedAt).toLocaleString()]
      .filter(Boolean)
      .join(' · '),
    detail: reason ?? (exitCode === null ? '' : vscode.l10n.t('exit code {0}', exitCode)),
    number,
  }));
  return (await vscode.window.showQuickPick(items.reverse()))?.number ?? null;
}
