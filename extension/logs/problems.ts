/** The errors of failed runs among VS Code's problems, until a newer run of the same script begins. */
import { sep } from 'node:path';
import * as vscode from 'vscode';
import { LogLines } from '../../logtext/lines.ts';
import { type Problem, problemsIn } from '../../logtext/problems.ts';
import type { Place } from '../../logtext/references.ts';
import type { Client } from '../../server/client/client.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Parts } from '../connection/connection.ts';
import { openFolders } from '../folders.ts';
import { addressParts, logScheme } from './address.ts';
import { finderFor } from './document.ts';
import { Failures } from './failures.ts';

/** Programs tell their errors last. Bytes. */
const tail = 128 * 1024;
/** What has not come from its host by then is not waited for. Milliseconds. */
const patience = 30_000;

type Entry = [vscode.Uri, vscode.Diagnostic];

export function registerProblems({ connection, log }: Parts): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('vbatch');
  const failures = new Failures();
  const byTask = new Map<string, Entry[]>();
  let reading: Promise<void> = Promise.resolve();

  const show = () => {
    const byFile = new Map<string, Entry[]>();
    for (const entry of [...byTask.values()].flat()) {
      const key = entry[0].toString();
      byFile.set(key, [...(byFile.get(key) ?? []), entry]);
    }
    collection.clear();
    for (const entries of byFile.values()) {
      const [first] = entries;
      if (first !== undefined)
        collection.set(
          first[0],
          entries.map(([, diagnostic]) => diagnostic),
        );
    }
  };
  const read = async (task: TaskView) => {
    // Forgotten meanwhile: its run is not the newest any more.
    if (!byTask.has(task.id)) return;
    const entries = await entriesOf(await connection.client(), task);
    if (!byTask.has(task.id)) return;
    byTask.set(task.id, entries);
    show();
  };
  const listening = connection.onDidReceive((event) => {
    let isChanged = false;
    for (const effect of failures.take(event)) {
      if (effect.type === 'forget') isChanged = byTask.delete(effect.id) || isChanged;
      else {
        const { task } = effect;
        byTask.set(task.id, []);
        // One after another: this is never urgent.
        reading = reading
          .then(() => read(task))
          .catch((error: Error) => log.warn(`errors of ${task.id}: ${error.message}`));
      }
    }
    if (isChanged) show();
  });
  return vscode.Disposable.from(collection, listening);
}

async function entriesOf(client: Client, task: TaskView): Promise<Entry[]> {
  const folders = openFolders();
  const finder = await finderFor(task, task.host ?? 'local');
  const isOurs = (path: string) => folders.some((folder) => path.startsWith(folder + sep));
  const entries: Entry[] = [];
  for (const problem of problemsIn(await lastLines(client, task))) {
    const places: { place: Place; file: string }[] = [];
    for (const place of problem.places) {
      const file = await finder.find(place.path);
      if (file !== null && isOurs(file)) places.push({ place, file });
    }
    const [main, ...others] = places;
    if (main === undefined) continue;
    const diagnostic = new vscode.Diagnostic(
      rangeOf(main.place),
      problem.message,
      vscode.DiagnosticSeverity.Error,
    );
    diagnostic.source = `vbatch ${task.name}`;
    diagnostic.code = codeOf(problem, task);
    diagnostic.relatedInformation = others.map(({ place, file }) => {
      const location = new vscode.Location(vscode.Uri.file(file), rangeOf(place));
      return new vscode.DiagnosticRelatedInformation(location, vscode.l10n.t('called from here'));
    });
    entries.push([vscode.Uri.file(main.file), diagnostic]);
  }
  return entries;
}

/** A link to the log. */
function codeOf({ source }: Problem, { id, attempt }: TaskView): vscode.Diagnostic['code'] {
  return { value: source, target: vscode.Uri.from({ scheme: logScheme, ...addressParts({ id, attempt }) }) };
}

function rangeOf({ line, column }: Place): vscode.Range {
  const at = Math.max(0, line - 1);
  // Without a column the whole line is meant.
  return column === null
    ? new vscode.Range(at, 0, at, Number.MAX_SAFE_INTEGER)
    : new vscode.Range(at, Math.max(0, column - 1), at, column);
}

/** The end of what the task's latest attempt has written, one stream after the other: errors are not torn apart so. */
async function lastLines(client: Client, { id, attempt }: TaskView): Promise<string[]> {
  const { before, position } = await client.logPlace(id, { attempt, position: -tail });
  const lines = new LogLines({ stdout: before.stdout > 0, stderr: before.stderr > 0 });
  let at = position;
  const signal = AbortSignal.timeout(patience);
  try {
    // Followed, because what a host has not sent yet is the end.
    for await (const { stream, data } of client.followAttempt(id, attempt, before, signal)) {
      lines.write(stream, data, at);
      lines.trim(2 * tail);
      at += data.length;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const of = (wanted: string) =>
    lines.lines.filter(({ stream }) => stream === wanted).map(({ text }) => text);
  return [...of('stdout'), '', ...of('stderr')];
}
