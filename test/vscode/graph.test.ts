/** The graph of a run as a panel of a real window. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookOf, statuses } from '../../webview/state/statuses.ts';
import { type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import { Window } from './window.ts';

let browser: Browser;
let host: Host;
let window: Window;

/** As much of a canvas as is looked at. */
interface Canvas {
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { data: number[] };
  };
}

/** The page within the panel. */
const page = () => window.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
const item = (text: RegExp) =>
  page()
    .locator('.item')
    .and(page().getByRole('button', { name: text }))
    .first();

beforeAll(async () => {
  [browser, host] = await Promise.all([startBrowser(), startHost({ name: 'latest' })]);
  const workspace = join(host.home, 'workspace');
  mkdirSync(workspace);
  writeFileSync(
    join(workspace, 'pipeline.sh'),
    '#!/bin/sh\nvbatch --name first ./gate.sh\nvbatch --name second --after-success first sh -c "exit 3"\n',
    { mode: 0o755 },
  );
  writeFileSync(
    join(workspace, 'gate.sh'),
    '#!/bin/sh\nmkfifo gate\necho gate.sh:3: at the gate\nread -r line < gate\necho through\n',
    { mode: 0o755 },
  );
  const url = host.url(workspace, { extensionDevelopmentPath: projectFolder });
  window = await Window.open(await sealedContext(browser), url, 'graph');
  await host.program('vbatch', './pipeline.sh');
});

afterAll(async () => {
  await window?.shot('end');
  await browser?.close();
  await host?.stop();
});

describe('the graph in a panel', () => {
  it('shows a run that is chosen, live, with the output of what is selected', async () => {
    await window.command('Show Graph of a Run');
    await window.pick('pipeline', 'pipeline');
    await item(/^first, running/).waitFor({ state: 'attached' });
    await item(/^second, waiting, after success of first/).waitFor({ state: 'attached' });
    await item(/^first/).focus();
    await page().locator('.panel .log', { hasText: 'at the gate' }).waitFor();
    await window.shot('running');
    writeFileSync(join(host.home, 'workspace/gate'), 'go\n');
    await page().locator('.panel .log', { hasText: 'through' }).waitFor();
    await item(/^second, failed, exit code 3/).waitFor({ state: 'attached' });
    await window.shot('failed');
  });

  it('is there again after the window was reloaded, with what was selected', async () => {
    await item(/^second/).focus();
    await page().locator('.panel h2', { hasText: 'second' }).waitFor();
    await window.reload();
    await page().locator('.panel h2', { hasText: 'second' }).waitFor();
    await item(/^first, done/).waitFor({ state: 'attached' });
  });

  it('has its colours from the theme, and goes on when the server is started anew', async () => {
    const background = () =>
      page()
        .locator('.graph canvas')
        .first()
        .evaluate(
          (canvas: unknown) => (canvas as Canvas).getContext('2d').getImageData(2, 2, 1, 1).data[0] ?? 0,
        );
    await expect.poll(background).toBeGreaterThan(128);
    await window.command('Preferences: Toggle between Light/Dark Themes');
    await expect.poll(background).toBeLessThan(128);
    await window.shot('dark');
    await host.program('vctl', 'server', 'stop');
    // Who only looks starts none.
    await page().locator('.note', { hasText: 'No vbatch server runs' }).waitFor();
    await host.program('vctl', 'retry', 'pipeline/second');
    await page().locator('.panel dd', { hasText: 'exit code 3 on local' }).waitFor();
    await window.shot('retried');
  });

  it('has a colour for each status, in high contrast as well', async () => {
    await window.command('Preferences: Color Theme');
    await window.pick('Dark High Contrast', 'Dark High Contrast');
    await page().locator('body.vscode-high-contrast').waitFor();
    const names = statuses.map((status) => lookOf(status).colour);
    const lacking = () =>
      page()
        .locator('html')
        .evaluate((root: unknown, wanted) => {
          // This project's types know no DOM.
          const style = Reflect.get(globalThis, 'getComputedStyle')(root);
          return wanted.filter((name) => style.getPropertyValue(name) === '');
        }, names);
    await expect.poll(lacking).toEqual([]);
  });

  it('opens a file that a task has named, and the output of a task as a document', async () => {
    await item(/^first/).focus();
    await page().locator('.panel h2', { hasText: 'first' }).waitFor();
    await page().locator('.panel .log .link', { hasText: 'gate.sh:3' }).click();
    await window.page.locator('.tabs-container .tab.active', { hasText: 'gate.sh' }).waitFor();
    await window.command('Show Graph of a Run');
    await window.pick('pipeline', 'pipeline');
    await item(/^first/).focus();
    await page().locator('.panel h2', { hasText: 'first' }).waitFor();
    await page().locator('.panel vscode-button', { hasText: 'Logs' }).click();
    await window.page.locator('.monaco-editor .view-line', { hasText: 'at the gate' }).waitFor();
    await window.shot('logs');
  });
});
