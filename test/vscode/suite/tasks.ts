import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Client } from '../../../server/client/client.ts';
import { extension } from './support.ts';

describe('commands of tasks', () => {
  let client: Client;

  before(async () => {
    client = await (await extension()).connection.client();
  });

  async function submit(name: string, ...command: string[]): Promise<string> {
    const [result] = await client.submit({
      tasks: [{ name, command, directory: '/tmp', hold: true, key: `${name}-${process.pid}` }],
    });
    assert.ok(result !== undefined && 'id' in result);
    return result.id;
  }

  it('release what is held, and hold it again', async () => {
    const id = await submit('held', 'true');
    await vscode.commands.executeCommand('vbatch.tasks.focus');
    await known(id);
    await vscode.commands.executeCommand('vbatch.task.release', { id });
    const done = await client.whenDone(id);
    assert.equal(done.status, 'SUCCESS');
  });

  it('cancel at once what has not begun', async () => {
    const id = await submit('never', 'true');
    await known(id);
    await vscode.commands.executeCommand('vbatch.task.cancel', { id });
    assert.equal((await client.task(id)).status, 'CANCELLED');
    await vscode.commands.executeCommand('vbatch.task.retry', { id });
    await vscode.commands.executeCommand('vbatch.task.release', { id });
    assert.equal((await client.whenDone(id)).status, 'SUCCESS');
  });

  it('copy the id, and the command as a shell takes it', async () => {
    const id = await submit('copied', 'echo', 'two words');
    await known(id);
    await vscode.commands.executeCommand('vbatch.task.copyId', { id });
    assert.equal(await vscode.env.clipboard.readText(), id);
    await vscode.commands.executeCommand('vbatch.task.copyCommand', { id });
    assert.equal(await vscode.env.clipboard.readText(), "echo 'two words'");
  });

  /** Resolves when the window knows the task, and shows it as other rooms have it shown. */
  async function known(id: string): Promise<void> {
    const { connection } = await extension();
    const shown = () => vscode.commands.executeCommand<boolean>('vbatch.task.reveal', { id });
    for (let news = next(connection.onDidReceive); !(await shown()); news = next(connection.onDidReceive))
      await news;
  }
});

function next<T>(event: vscode.Event<T>): Promise<T> {
  return new Promise((resolve) => {
    const listening = event((value) => {
      listening.dispose();
      resolve(value);
    });
  });
}
