import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { extension } from './support.ts';

describe('activation', () => {
  it('starts a server for the window with the first command that needs one', async () => {
    const { connection } = await extension();
    const server = await (await connection.client()).server();
    assert.equal(server.home, connection.home);
    assert.equal(server.home, process.env.VBATCH_HOME);
  });

  it('shows the two views', async () => {
    await vscode.commands.executeCommand('vbatch.tasks.focus');
    await vscode.commands.executeCommand('vbatch.hosts.focus');
  });

  it('comes back by itself when the server is killed', async () => {
    const { connection } = await extension();
    const before = await (await connection.client()).server();
    const again = new Promise<void>((resolve) => {
      let isLost = false;
      const listening = connection.onDidChangeState(({ kind }) => {
        if (kind === 'lost') isLost = true;
        if (kind !== 'connected' || !isLost) return;
        listening.dispose();
        resolve();
      });
    });
    process.kill(before.pid, 'SIGKILL');
    await again;
    const after = await (await connection.client()).server();
    assert.notEqual(after.pid, before.pid);
  });

  it('stops the server when told to, and starts the next one with the next wish', async () => {
    const { connection } = await extension();
    await connection.client();
    await vscode.commands.executeCommand('vbatch.server.stop');
    assert.equal(connection.state.kind, 'idle');
    // Who only looks does not start one.
    await assert.rejects(connection.running(), /No vbatch server runs/);
    assert.equal(connection.state.kind, 'idle');
    const { pid } = await (await connection.client()).server();
    await vscode.commands.executeCommand('vbatch.server.restart');
    assert.notEqual((await (await connection.client()).server()).pid, pid);
  });
});
