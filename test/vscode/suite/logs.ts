import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { extension, folder } from './support.ts';

/** Submits a shell command in the folder of the window. Resolves with its id. */
async function submit(script: string, more: { retries?: number } = {}): Promise<string> {
  const { connection } = await extension();
  const client = await connection.client();
  const command = ['sh', '-c', script];
  const tasks = [
    { command, directory: folder(), name: 'log', environment: { PATH: process.env.PATH ?? '' }, ...more },
  ];
  const [result] = await client.submit({ tasks });
  assert.ok(result !== undefined && 'id' in result);
  return result.id;
}

async function done(id: string): Promise<void> {
  const { connection } = await extension();
  await (await connection.client()).whenDone(id);
}

/** Resolves when something that logs show or say is so. */
async function until(isSo: () => boolean): Promise<void> {
  const { logs } = await extension();
  if (isSo()) return;
  await new Promise<void>((resolve) => {
    const listening = logs.onDidRender(() => {
      if (!isSo()) return;
      listening.dispose();
      resolve();
    });
  });
}

/** Resolves when what the editor of a document shows is so. */
async function sees(document: vscode.TextDocument, isSo: (range: vscode.Range) => boolean): Promise<void> {
  const { window } = vscode;
  const now = () =>
    window.visibleTextEditors.some(
      (editor) => editor.document === document && editor.visibleRanges.some(isSo),
    );
  if (now()) return;
  await new Promise<void>((resolve) => {
    const look = () => {
      if (!now()) return;
      listening.dispose();
      resolve();
    };
    const listening = vscode.Disposable.from(
      window.onDidChangeTextEditorVisibleRanges(look),
      window.onDidChangeVisibleTextEditors(look),
    );
  });
}

/** Resolves when the cursor of the editor in front is so. */
async function selects(isSo: (editor: vscode.TextEditor) => boolean): Promise<void> {
  const { window } = vscode;
  const now = () => window.activeTextEditor !== undefined && isSo(window.activeTextEditor);
  if (now()) return;
  await new Promise<void>((resolve) => {
    const listening = window.onDidChangeTextEditorSelection(() => {
      if (!now()) return;
      listening.dispose();
      resolve();
    });
  });
}

async function openLog(target: unknown): Promise<vscode.TextEditor> {
  await vscode.commands.executeCommand('vbatch.task.openLog', target);
  const editor = vscode.window.activeTextEditor;
  assert.ok(editor !== undefined && editor.document.uri.scheme === 'vbatch-log');
  return editor;
}

async function titles(uri: vscode.Uri): Promise<string[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    uri,
  );
  return lenses.map(({ command }) => command?.title ?? '');
}

describe('logs', () => {
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  it('open as documents that grow while the task runs, without escape sequences', async () => {
    const { logs } = await extension();
    const gate = join(folder(), 'gate');
    const id = await submit(
      `printf '\\033[31mred\\033[0m\\n'; echo oh >&2; until [ -e '${gate}' ]; do sleep 0.1; done; echo more`,
    );
    const { document } = await openLog({ id });
    assert.equal(document.languageId, 'vbatch-log');
    await until(() => document.getText().endsWith('oh\n') && document.getText().includes('red\n'));
    writeFileSync(gate, '');
    await until(() => document.getText().endsWith('more\n'));
    assert.equal(document.getText().includes('\u001b'), false);
    const shown = logs.get(document.uri)?.shown ?? [];
    assert.deepEqual(shown.map(({ stream, text }) => `${stream} ${text}`).sort(), [
      'stderr oh',
      'stdout more',
      'stdout red',
    ]);
    assert.equal(shown.find(({ text }) => text === 'red')?.spans[0]?.style.foreground, 1);
    await done(id);
    await until(() => logs.active()?.task?.resolvedAt !== null);
    assert.match((await titles(document.uri))[0] ?? '', /ended with exit code 0/);
  });

  it('that have ended open at their end, where the cursor is, and are left where somebody goes', async () => {
    const id = await submit('seq 1000; exit 3');
    await done(id);
    const first = await openLog({ id });
    assert.equal(first.document.lineCount, 1001);
    await sees(first.document, (range) => range.end.line === 1000);
    assert.equal(first.selection.active.line, 1000);
    await vscode.commands.executeCommand('cursorTop');
    await sees(first.document, (range) => range.start.line === 0);
    // As somebody reads there it stays there, whatever else is looked at.
    await openLog({ id: await submit('echo other') });
    await vscode.window.showTextDocument(first.document);
    await sees(first.document, (range) => range.start.line === 0);
    await openLog({ id });
    await sees(first.document, (range) => range.end.line === 1000);
  });

  it('are one for each attempt', async () => {
    const id = await submit('echo "attempt $VBATCH_ATTEMPT"; exit 3', { retries: 1 });
    await done(id);
    const second = await openLog({ id });
    assert.equal(second.document.getText(), 'attempt 2\n');
    const first = await openLog({ id, attempt: 1 });
    assert.equal(first.document.getText(), 'attempt 1\n');
    assert.match((await titles(first.document.uri))[0] ?? '', /attempt 1 of 2/);
  });

  it('of a task that has not begun say why it waits', async () => {
    const { connection } = await extension();
    const client = await connection.client();
    const [result] = await client.submit({
      tasks: [{ command: ['true'], directory: folder(), name: 'held', hold: true }],
    });
    assert.ok(result !== undefined && 'id' in result);
    const { document } = await openLog(result.id);
    assert.equal(document.getText(), '');
    assert.match((await titles(document.uri))[0] ?? '', /held/);
    await client.release(result.id);
    await done(result.id);
  });

  it('of any size open at their end, are looked at in parts, and searched as a whole', async () => {
    const { logs } = await extension();
    const id = await submit(
      'echo the very first line; yes "a line of fifty characters, as many others are" | head -n 1000000; echo NEEDLE here; yes more | head -n 200000; echo the very last line',
    );
    await done(id);
    const { document } = await openLog({ id });
    await until(() => document.getText().endsWith('the very last line\n'));
    assert.ok(document.getText().length < 600_000);
    const log = logs.active();
    assert.ok(log !== undefined && log.session.size > 45_000_000);
    await vscode.commands.executeCommand('vbatch.log.beginning');
    await until(() => document.getText().startsWith('the very first line\n'));
    const searching = vscode.commands.executeCommand('vbatch.log.search', document.uri, 'needle');
    // The first line found is chosen as soon as there is one.
    const selected = () => {
      const editor = vscode.window.activeTextEditor;
      return editor?.document.getText(editor.selection) === 'NEEDLE';
    };
    const choosing = setInterval(
      () => void vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem'),
      200,
    );
    await searching;
    clearInterval(choosing);
    await until(selected);
    const { begin } = log.session;
    assert.ok(begin > 0);
    await vscode.commands.executeCommand('vbatch.log.earlier');
    assert.ok(log.session.begin < begin);
    await vscode.commands.executeCommand('vbatch.log.goTo', document.uri, '50%');
    const shown = () => {
      const [range] = vscode.window.activeTextEditor?.visibleRanges ?? [];
      return range === undefined ? 0 : (log.shown[range.start.line]?.position ?? 0);
    };
    await until(() => Math.abs(shown() / log.session.size - 0.5) < 0.001);
    await vscode.commands.executeCommand('vbatch.log.end');
    await until(() => document.getText().endsWith('the very last line\n'));
    // Keys go on from there.
    await selects(({ document: { lineCount }, selection }) => selection.active.line === lineCount - 1);
  });

  it('link what programs name to the files here', async () => {
    writeFileSync(join(folder(), 'job.py'), 'def f():\n    raise ValueError("no")\n\n\nf()\n');
    const id = await submit('python3 job.py; echo nothing.c:1:2: here');
    await done(id);
    const { document } = await openLog({ id });
    await until(() => document.getText().includes('ValueError'));
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      document.uri,
    );
    assert.deepEqual(
      links.map(({ target }) => `${target?.fsPath}#${target?.fragment}`).sort(),
      [2, 5].map((line) => `${join(folder(), 'job.py')}#L${line}`),
    );
  });

  it('of failed runs put their errors among the problems, until the script runs again', async () => {
    const file = vscode.Uri.file(join(folder(), 'bad.py'));
    const found = (count: number) => {
      const isSo = () => vscode.languages.getDiagnostics(file).length === count;
      if (isSo()) return Promise.resolve();
      return new Promise<void>((resolve) => {
        const listening = vscode.languages.onDidChangeDiagnostics(() => {
          if (!isSo()) return;
          listening.dispose();
          resolve();
        });
      });
    };
    writeFileSync(file.fsPath, 'import sys\n\nraise ValueError("no")\n');
    await submit('python3 bad.py');
    await found(1);
    const [problem] = vscode.languages.getDiagnostics(file);
    assert.equal(problem?.message, 'ValueError: no');
    assert.equal(problem?.range.start.line, 2);
    writeFileSync(file.fsPath, 'print("fine")\n');
    await submit('python3 bad.py');
    await found(0);
  });

  it('go on where they were when the server is killed', async () => {
    const { connection } = await extension();
    const gate = join(folder(), 'gate2');
    const id = await submit(`echo one; until [ -e '${gate}' ]; do sleep 0.1; done; echo two`);
    const { document } = await openLog({ id });
    await until(() => document.getText() === 'one\n');
    const { pid } = await (await connection.client()).server();
    process.kill(pid, 'SIGKILL');
    writeFileSync(gate, '');
    await until(() => document.getText() === 'one\ntwo\n');
    await done(id);
  });
});
