/** The sidebar as a person sees and uses it, in a real window. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';

const run = promisify(execFile);
const shots = join(projectFolder, '.tmp/vscode-tests/shots');

let browser: Browser;
let host: Host;
let page: Page;

/** One of our programs, on the server of the window. */
async function program(name: 'vbatch' | 'vctl', ...args: string[]): Promise<string> {
  const env = { ...process.env, VBATCH_HOME: host.state, VBATCH_CONFIG: join(host.home, 'config.yaml') };
  const file = join(projectFolder, `dist/cli/${name}.cjs`);
  const { stdout } = await run(process.execPath, [file, ...args], { env, cwd: join(host.home, 'workspace') });
  return stdout.trim();
}

/** The line with exactly this label. */
function row(label: string): Locator {
  const exact = page.locator('.label-name', { hasText: new RegExp(`^${label}$`) });
  return page.locator('.pane-body .monaco-list-row').filter({ has: exact });
}

async function command(title: string): Promise<void> {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget:visible input[type="text"]').first();
  await input.waitFor();
  await input.fill(`>${title}`);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().waitFor();
  await page.keyboard.press('Enter');
}

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  [browser, host] = await Promise.all([startBrowser(), startHost({ name: 'latest' })]);
  const workspace = join(host.home, 'workspace');
  mkdirSync(workspace);
  writeFileSync(
    join(workspace, 'fan.sh'),
    '#!/bin/sh\nvbatch --name setup true\nvbatch --name broken sh -c "exit 3"\nvbatch --name long sleep 600\nseq 150 | xargs -I {} vbatch --name part-{} true\n',
    { mode: 0o755 },
  );
  page = await (await sealedContext(browser)).newPage();
  await page.goto(host.url(workspace, { extensionDevelopmentPath: projectFolder }));
  await page.locator('.part.activitybar a.action-label[aria-label^="vbatch"]').click();
});

afterAll(async () => {
  await page.screenshot({ path: join(shots, 'tree-end.png') });
  await browser.close();
  await host.stop();
});

describe('the sidebar', () => {
  it('says that no server runs, then what has run', async () => {
    await page.locator('.welcome-view-content', { hasText: 'server is not running' }).waitFor();
    await page.screenshot({ path: join(shots, 'tree-welcome.png') });
    await program('vbatch', './fan.sh');
    await row('fan').waitFor();
    await page.screenshot({ path: join(shots, 'tree-run.png') });
  });

  it('groups a large fan-out, and opens groups down to their tasks', async () => {
    await row('fan').locator('.monaco-tl-twistie').click();
    await row('Succeeded').waitFor();
    await expect.poll(() => row('Succeeded').innerText(), { timeout: 30_000 }).toContain('151');
    await row('Failed').locator('.monaco-tl-twistie').click();
    await row('broken').waitFor();
    await row('Succeeded').locator('.monaco-tl-twistie').click();
    await row('1 – 100').waitFor();
    await page.screenshot({ path: join(shots, 'tree-groups.png') });
    expect(await row('broken').innerText()).toContain('exited with 3');
  });

  it('keeps what is open and selected while tasks change', async () => {
    await row('broken').click();
    await program('vbatch', '--name', 'another', 'true');
    await row('another').waitFor();
    await program('vctl', 'retry', 'fan/broken');
    await expect
      .poll(async () => (await row('broken').getAttribute('class'))?.includes('selected'))
      .toBe(true);
    await command('Show All Tasks');
    await row('1 – 100').waitFor();
  });
});
