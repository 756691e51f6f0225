import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { TaskView } from '../../../server/protocol/tasks.ts';
import { extension, folder } from './support.ts';

async function open(name: string, text: string): Promise<vscode.TextDocument> {
  const path = join(folder(), name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return vscode.workspace.openTextDocument(path);
}

async function titles(document: vscode.TextDocument): Promise<string[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    document.uri,
  );
  return lenses.map(({ command }) => command?.title ?? '');
}

describe('scripts in the editor', () => {
  it('have a lens that runs them, and shows what became of it', async () => {
    const { connection, registry } = await extension();
    const document = await open('greet.sh', '#!/bin/sh\necho "hello $1"\n');
    assert.deepEqual(await titles(document), ['$(play) Run as vbatch', 'on pool…', 'with arguments…']);
    const id = await vscode.commands.executeCommand<string>('vbatch.run', document.uri);
    assert.match(id, /^greet-/);
    const client = await connection.client();
    assert.equal((await client.whenDone(id)).status, 'SUCCESS');
    while (registry.runs.get(id)?.status !== 'SUCCESS') {
      await new Promise<void>((resolve) => {
        const listening = registry.onDidUpdate(() => {
          listening.dispose();
          resolve();
        });
      });
    }
    const after = await titles(document);
    assert.match(after[3] ?? '', /^\$\(pass\) succeeded/);
    assert.equal(after[4], 'Logs');
  });

  it('are saved before they are run', async () => {
    const { connection } = await extension();
    const document = await open('dirty.sh', '#!/bin/sh\nexit 1\n');
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(1, 0, 1, 6), 'exit 0');
    await vscode.workspace.applyEdit(edit);
    const id = await vscode.commands.executeCommand<string>('vbatch.run', document.uri);
    assert.equal(document.isDirty, false);
    assert.equal((await (await connection.client()).whenDone(id)).status, 'SUCCESS');
  });

  it('have no lens where they are no programs', async () => {
    await extension();
    assert.deepEqual(await titles(await open('library.py', 'def f():\n    return 1\n')), []);
    const program = await open(
      'program.py',
      'def f():\n    return 1\n\nif __name__ == "__main__":\n    f()\n',
    );
    assert.equal((await titles(program)).length, 3);
  });
});

describe('tasks of tasks.json', () => {
  it('end with the exit code of the run', async () => {
    await extension();
    const ended = new Promise<number | undefined>((resolve) => {
      const listening = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
        if (execution.task.name !== 'seven') return;
        listening.dispose();
        resolve(exitCode);
      });
    });
    await vscode.commands.executeCommand('workbench.action.tasks.runTask', 'seven');
    assert.equal(await ended, 7);
  });
});

describe('terminals', () => {
  it('have vbatch on PATH, on the Node of VS Code, and know what is open', async () => {
    const { connection, registry } = await extension();
    await connection.client();
    const terminal = vscode.window.createTerminal({ name: 'path', cwd: folder() });
    const arrived = new Promise<TaskView>((resolve) => {
      const listening = registry.onDidUpdate(() => {
        for (const run of registry.runs.all()) {
          if (run.name !== 'typed') continue;
          listening.dispose();
          resolve(run);
        }
      });
    });
    terminal.sendText('vbatch --name typed -l "open=$VBATCH_OPENED" true');
    assert.deepEqual((await arrived).labels, { open: folder() });
    terminal.dispose();
  });
});
