/** Connects to a host, and has a person answer what it asks. Answers go to the server and are kept nowhere. */
import * as vscode from 'vscode';
import type { Client } from '../../server/client/client.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { ConnectResponse, Question } from '../../server/protocol/hosts.ts';

/** Says whether the host is online now; it is not where the person has given it up. Throws why it cannot be reached. */
export async function connectHost(
  client: Client,
  name: string,
  workspace: string | null,
  signal: AbortSignal,
): Promise<boolean> {
  let { question } = await client.connectHost(name, workspace, signal);
  while (question !== null) {
    const answer = await ask(name, question);
    if (answer === null) {
      // The connection must not wait for what will not come.
      await client.answerHost(name, { id: question.id, answer: null }).catch(() => {});
      return false;
    }
    ({ question } = await answerInTime(client, name, workspace, { id: question.id, answer }, signal));
  }
  return true;
}

/** Hosts do not wait for ever: one that has hung up meanwhile is asked for its question again. */
async function answerInTime(
  client: Client,
  name: string,
  workspace: string | null,
  answer: { id: string; answer: string },
  signal: AbortSignal,
): Promise<ConnectResponse> {
  try {
    return await client.answerHost(name, answer, signal);
  } catch (error) {
    if (!(error instanceof VbatchError) || error.code !== 'notFound') throw error;
    return await client.connectHost(name, workspace, signal);
  }
}

function ask(name: string, question: Question): Promise<string | null> {
  return question.kind === 'hostKey' ? askHostKey(question) : askLine(name, question);
}

async function askHostKey({ host, fingerprint, text }: Question): Promise<string | null> {
  const { l10n } = vscode;
  const accept = {
    label: `$(pass) ${l10n.t('Accept and connect')}`,
    detail: fingerprint ?? undefined,
    answer: 'yes',
  };
  const refuse = { label: `$(circle-slash) ${l10n.t('Do not connect')}`, answer: null };
  const chosen = await vscode.window.showQuickPick([accept, refuse], {
    title: l10n.t('{0} is met for the first time. Is this the key of that host?', host),
    placeHolder: text.split('\n').find((line) => line.includes('fingerprint')) ?? fingerprint ?? '',
    ignoreFocusOut: true,
  });
  return chosen?.answer ?? null;
}

async function askLine(name: string, { text, echo }: Question): Promise<string | null> {
  const given = await vscode.window.showInputBox({
    title: name,
    prompt: text.trim(),
    password: !echo,
    ignoreFocusOut: true,
  });
  return given ?? null;
}
