/** Submits a script of the editor as a run, as `vbatch` in its folder would. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { findWorkspace } from '../../server/config/workspace.ts';
import { parseCommandLine } from '../../server/protocol/commandLine.ts';
import { isErrorCode, VbatchError } from '../../server/protocol/errors.ts';
import { scriptDefaults, scriptHeadBytes } from '../../server/protocol/scriptDefaults.ts';
import type { SubmissionInput } from '../../server/protocol/tasks.ts';
import { version } from '../../server/version.ts';
import { type Connection, requireTrust } from '../connection/connection.ts';
import { openFolders } from '../folders.ts';
import { commandOf, type Script } from './script.ts';

export interface Wishes {
  /** Null for what the script itself asks for, else the default pool. */
  readonly pool: string | null;
  readonly args: readonly string[];
}

/** Saves the file and submits it. The id of the run. Throws a sentence for a person. */
export async function submitFile(
  connection: Connection,
  document: vscode.TextDocument,
  { pool, args }: Wishes,
): Promise<string> {
  requireTrust();
  if (document.uri.scheme !== 'file') {
    throw new VbatchError('refused', vscode.l10n.t('vbatch runs files on disk; save this one first.'));
  }
  if (document.isDirty && !(await document.save())) {
    throw new VbatchError(
      'refused',
      vscode.l10n.t('{0} could not be saved, so it was not run.', document.fileName),
    );
  }
  const path = document.fileName;
  const script = { ...scriptOf(document), isExecutable: mayExecute(path) };
  const command = commandOf(script, args, pythonFor(document));
  const defaults = scriptDefaults(Buffer.from(document.getText()).subarray(0, scriptHeadBytes), path);
  const words = [...(pool === null ? [] : ['-P', pool]), '--', ...command];
  return submitWords(connection, words, dirname(path), defaults);
}

/** What says how a document is run. */
export function scriptOf(document: vscode.TextDocument): Omit<Script, 'isExecutable'> {
  return { path: document.fileName, language: document.languageId, head: document.lineAt(0).text };
}

/** What runs Python scripts that do not start by themselves. */
export function pythonFor(document: vscode.TextDocument): string {
  return vscode.workspace.getConfiguration('vbatch', document).get('run.python', 'python3');
}

/** Submits what `vbatch WORDS` in `folder` would. The id. */
export async function submitWords(
  connection: Connection,
  words: readonly string[],
  folder: string,
  defaults: readonly string[] = [],
): Promise<string> {
  requireTrust();
  const lookup = (name: string) => process.env[name];
  const call = parseCommandLine('vbatch', words, { lookup, version, defaults });
  if (call.kind !== 'submit') {
    throw new VbatchError('usage', call.kind === 'usage' ? call.message : call.text);
  }
  const submission: SubmissionInput = {
    ...call.submission,
    key: crypto.randomUUID(),
    directory: folder,
    workspace: findWorkspace(folder),
    opened: openFolders(),
  };
  const client = await connection.client();
  const [result] = await client.submit({ tasks: [submission] });
  if (result === undefined) throw new VbatchError('internal', 'the server gave no answer to the submission');
  if ('error' in result) {
    const { code, message } = result.error;
    throw new VbatchError(isErrorCode(code) ? code : 'internal', message);
  }
  for (const note of result.notes) void vscode.window.setStatusBarMessage(`$(info) ${note}`, 10_000);
  return result.id;
}

/** Windows has no such bit. */
function mayExecute(path: string): boolean {
  if (process.platform === 'win32') return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
