import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import manifest from '../../../package.json';
import { extension } from './support.ts';

describe('package.json', () => {
  it('names exactly the commands that the extension registers', async () => {
    await extension();
    const views = Object.values(manifest.contributes.views).flat();
    const isViews = (id: string) =>
      views.some((view) => id.startsWith(`${view.id}.`) && !declared.includes(id));
    const declared = manifest.contributes.commands.map(({ command }) => command);
    const registered = (await vscode.commands.getCommands(true)).filter((id) => id.startsWith('vbatch.'));
    assert.deepEqual(registered.filter((id) => !isViews(id)).sort(), [...declared].sort());
  });
});
