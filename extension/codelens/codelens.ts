/** What stands above scripts: how to run them, and what became of their latest run. */
import * as vscode from 'vscode';
import type { Memory } from '../run/memory.ts';
import type { RunRegistry } from '../runs/registry.ts';
import { statusTitle } from '../runs/words.ts';
import { isDone } from '../statuses.ts';
import { lensLine, searchedLines } from './place.ts';

/** Scripts by language; `.sh` and `.py` also where the editor calls them otherwise. */
const selector: vscode.DocumentSelector = [
  { scheme: 'file', language: 'shellscript' },
  { scheme: 'file', language: 'python' },
  { scheme: 'file', pattern: '**/*.{sh,py}' },
];

/** Changes within this time are shown together. Milliseconds. */
const pauseMs = 250;

export function registerCodeLens(
  context: vscode.ExtensionContext,
  registry: RunRegistry,
  memory: Memory,
): void {
  const changed = new vscode.EventEmitter<void>();
  let timer: NodeJS.Timeout | null = null;
  const later = () => {
    timer ??= setTimeout(() => {
      timer = null;
      changed.fire();
    }, pauseMs);
  };
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses: (document) => lensesOf(document, registry, memory),
  };
  context.subscriptions.push(
    changed,
    registry.onDidUpdate(later),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('vbatch.codeLens')) changed.fire();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
    vscode.languages.registerCodeLensProvider(selector, provider),
    { dispose: () => clearTimeout(timer ?? undefined) },
  );
}

function lensesOf(document: vscode.TextDocument, registry: RunRegistry, memory: Memory): vscode.CodeLens[] {
  const isWanted = vscode.workspace.getConfiguration('vbatch', document).get('codeLens.enabled', true);
  if (!isWanted || !vscode.workspace.isTrusted) return [];
  const count = Math.min(document.lineCount, searchedLines);
  const lines = Array.from({ length: count }, (_, at) => document.lineAt(at).text);
  const line = lensLine({ path: document.fileName, language: document.languageId, lines });
  if (line === null) return [];
  const range = new vscode.Range(line, 0, line, 0);
  const lens = (title: string, command: string, tooltip: string, argument: unknown = document.uri) =>
    new vscode.CodeLens(range, { title, command, tooltip, arguments: [argument] });
  const { pool, args } = memory.of(document.fileName);
  const where = pool === null ? '' : vscode.l10n.t(' on {0}', pool);
  const lenses = [
    lens(
      vscode.l10n.t('$(play) Run as vbatch{0}', where),
      'vbatch.run',
      args === ''
        ? vscode.l10n.t('Save and submit this script')
        : vscode.l10n.t('Save and submit, with: {0}', args),
    ),
    lens(vscode.l10n.t('on pool…'), 'vbatch.runOnPool', vscode.l10n.t('Choose where it runs')),
    lens(vscode.l10n.t('with arguments…'), 'vbatch.runWithArguments', vscode.l10n.t('Give it arguments')),
  ];
  const run = registry.runs.latestOf(document.fileName);
  if (run === undefined) return lenses;
  const told = run.reason ?? run.id;
  const named = { id: run.id };
  lenses.push(
    lens(statusTitle(run), 'vbatch.task.reveal', told, named),
    lens(
      vscode.l10n.t('Logs'),
      'vbatch.task.openLog',
      vscode.l10n.t('Open the output of {0}', run.id),
      named,
    ),
  );
  if (!isDone(run.status)) {
    lenses.push(
      lens(vscode.l10n.t('Cancel'), 'vbatch.task.cancel', vscode.l10n.t('Cancel {0}', run.id), named),
    );
  }
  return lenses;
}
