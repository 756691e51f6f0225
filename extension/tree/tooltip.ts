/** What is shown when the pointer rests on a task: asked of the server only then. */
import * as vscode from 'vscode';
import type { TaskDetail } from '../../server/protocol/tasks.ts';
import type { Parts } from '../connection/connection.ts';
import { isDone } from '../statuses.ts';
import type { Entry } from './entries.ts';
import { unrepeated } from './sentences.ts';
import { shellText } from './shellText.ts';

/** Longest command that is shown. */
const longestCommand = 500;

export async function taskTooltip(
  { connection }: Parts,
  entry: Entry,
  token: vscode.CancellationToken,
): Promise<vscode.MarkdownString | undefined> {
  try {
    const client = await connection.running();
    const detail = await client.task(entry.id);
    if (token.isCancellationRequested) return undefined;
    const sentences = isDone(detail.status) ? [] : unrepeated((await client.explain(entry.id)).sentences);
    return tooltipText(detail, sentences);
  } catch {
    // It may have been pruned, or the server be out of reach: the line itself still says what it says.
    return undefined;
  }
}

function tooltipText(task: TaskDetail, sentences: readonly string[]): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  const { l10n } = vscode;
  text.appendMarkdown('**').appendText(task.id).appendMarkdown('**\n\n');
  text.appendCodeblock(shellText(task.command).slice(0, longestCommand), 'shellscript');
  for (const sentence of sentences) text.appendText(sentence).appendMarkdown('\n\n');
  if (isDone(task.status) && task.reason !== null) text.appendText(task.reason).appendMarkdown('\n\n');
  const attempt = task.attempts.at(-1);
  const facts: [string, string][] = [
    [l10n.t('Folder'), task.cwd],
    [l10n.t('Workspace'), task.workspace ?? ''],
    [l10n.t('Pool'), task.pool],
    [l10n.t('Host'), task.host ?? ''],
    [l10n.t('GPUs'), attempt?.gpus.join(', ') ?? ''],
    [l10n.t('Attempt'), task.attempt > 1 ? String(task.attempt) : ''],
    [l10n.t('Exit code'), task.exitCode === null ? '' : String(task.exitCode)],
    [
      l10n.t('Labels'),
      Object.entries(task.labels)
        .map((pair) => pair.join('='))
        .join(', '),
    ],
    [l10n.t('Submitted'), new Date(task.createdAt).toLocaleString()],
  ];
  for (const [name, value] of facts) {
    if (value !== '') text.appendMarkdown(`- ${name}: `).appendText(value).appendMarkdown('\n');
  }
  return text;
}
