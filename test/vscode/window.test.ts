/** One day of a person with the extension, in a clean VS Code that has the .vsix installed. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endServer, type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import { Window } from './window.ts';

let browser: Browser;
let host: Host;
let window: Window;

beforeAll(async () => {
  const vsix = join(projectFolder, '.tmp/vscode-tests/vbatch.vsix');
  mkdirSync(join(projectFolder, '.tmp/vscode-tests'), { recursive: true });
  await createVSIX({
    cwd: projectFolder,
    packagePath: vsix,
    dependencies: false,
    readmePath: 'extension/README.md',
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
  [browser, host] = await Promise.all([startBrowser(), startHost({ name: 'latest', vsix })]);
  const workspace = join(host.home, 'examples');
  cpSync(join(projectFolder, 'examples'), workspace, { recursive: true });
  window = await Window.open(await sealedContext(browser), host.url(workspace), 'day');
});

afterAll(async () => {
  await window.shot('end');
  await browser.close();
  await host.stop();
});

describe('a day with the extension', () => {
  it('a pipeline is run by the line above it, and seen to finish in the tree', async () => {
    await window.showView();
    await window.shot('welcome');
    await window.openFile('training/training_pipeline.sh');
    await window.lens('Run as vbatch').click();
    await window.row('training_pipeline').waitFor();
    await window.lens('succeeded').waitFor();
    await window.shot('finished');
    await window.row('training_pipeline').locator('.monaco-tl-twistie').click();
    await window.row('process').waitFor();
    await window.notification('succeeded').waitFor();
    await window.shot('tree');
  });

  it('vbatch typed in a terminal appears in the tree', async () => {
    await window.openTerminal();
    await window.type('vbatch --name typed sleep 600');
    const id = await window.sees('terminal', /typed-[0-9a-z]{5}/);
    await window.row('typed').waitFor();
    await window.shot('typed');
    expect(id).toMatch(/^typed-/);
  });

  it('all is still there after the window was loaded anew', async () => {
    await window.load();
    await window.showView();
    await window.row('typed').waitFor();
    await window.row('training_pipeline').waitFor();
    await window.shot('reloaded');
  });

  it('a server that is killed comes back, and nothing is lost', async () => {
    expect(endServer(host.state)).not.toBeNull();
    await window.page.locator('.statusbar-item', { hasText: 'vbatch 1' }).waitFor();
    await window.row('typed').waitFor();
    await window.openTerminal();
    await window.type('vctl list');
    await window.sees('terminal', /typed-\w+ .*RUNNING/);
    await window.shot('came-back');
  });
});
