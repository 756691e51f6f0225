import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { extension, folder } from './support.ts';

describe('in a folder that is not trusted', () => {
  it('no server is started, whoever asks', async () => {
    assert.equal(vscode.workspace.isTrusted, false);
    const { connection } = await extension();
    await assert.rejects(connection.client(), /not trusted/);
    await assert.rejects(connection.restart(), /not trusted/);
    assert.equal(connection.state.kind, 'idle');
    assert.equal(existsSync(join(connection.home, 'server.json')), false);
  });

  it('no script runs, and none is offered to', async () => {
    const path = join(folder(), 'evil.sh');
    const mark = join(folder(), 'mark');
    writeFileSync(path, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    const { uri } = await vscode.workspace.openTextDocument(path);
    const lenses = await vscode.commands.executeCommand<unknown[]>('vscode.executeCodeLensProvider', uri);
    assert.deepEqual(lenses, []);
    const id = await vscode.commands.executeCommand('vbatch.run', uri);
    assert.equal(id, undefined);
    assert.equal(existsSync(mark), false);
  });
});
