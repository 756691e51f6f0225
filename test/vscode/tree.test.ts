/** The sidebar as a person sees and uses it, in a real window. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import { Window } from './window.ts';

const script = `#!/bin/sh
vbatch --name setup true
vbatch --name broken -l stage=fit sh -c "exit 3"
vbatch --name long sleep 600
vbatch --name after --after-success long true
seq 110 | xargs -I {} vbatch --name part-{} true
`;

let browser: Browser;
let host: Host;
let window: Window;

function textOf(label: string): Promise<string> {
  return window.node(label).innerText();
}

beforeAll(async () => {
  [browser, host] = await Promise.all([startBrowser(), startHost({ name: 'latest' })]);
  const workspace = join(host.home, 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'fan.sh'), script, { mode: 0o755 });
  const url = host.url(workspace, { extensionDevelopmentPath: projectFolder });
  window = await Window.open(await sealedContext(browser), url, 'tree');
  await window.showView();
});

afterAll(async () => {
  await window?.shot('end');
  await browser.close();
  await host.stop();
});

describe('the sidebar', () => {
  it('says that no server runs, starts it, says that nothing has run, then what has', async () => {
    const welcome = window.page.locator('.welcome-view-content');
    const noServer = welcome.filter({ hasText: 'server is not running' });
    await noServer.locator('.monaco-button', { hasText: 'Start Server' }).click();
    await welcome.filter({ hasText: 'Nothing has run yet' }).waitFor();
    await window.node('local').waitFor();
    await window.shot('nothing');
    await host.program('vbatch', './fan.sh');
    await window.node('fan').waitFor();
  });

  it('groups a large fan-out, opens groups down to their tasks, and counts failures on its badge', async () => {
    await window.expand('fan');
    await window.node('Succeeded').waitFor();
    await expect.poll(() => textOf('Succeeded'), { timeout: 45_000 }).toContain('111');
    await window.expand('Failed');
    await window.expand('Succeeded');
    await window.node('1 – 100').waitFor();
    expect(await textOf('broken')).toContain('exited with 3');
    await expect.poll(() => textOf('fan'), { timeout: 45_000 }).toContain('112/114');
    await window.page.locator('.activitybar .badge-content', { hasText: '1' }).waitFor();
    await window.shot('groups');
  });

  it('keeps what is open and selected while tasks change, and what was looked at is no news', async () => {
    await window.node('broken').click();
    await expect
      .poll(() => window.page.locator('.activitybar .badge-content:visible').count(), { timeout: 45_000 })
      .toBe(0);
    await host.program('vbatch', '--name', 'another', 'true');
    await window.node('another').waitFor();
    await expect
      .poll(() => window.node('broken').getAttribute('class'), { timeout: 45_000 })
      .toContain('selected');
    await window.node('1 – 100').waitFor();
  });

  it('does not count what fails while its log is read', async () => {
    const command = 'until [ -e doom ]; do sleep 0.1; done; exit 1';
    await host.program('vbatch', '--name', 'doomed', 'sh', '-c', command);
    await window.node('doomed').waitFor();
    const open = async () => {
      await window.node('doomed').click();
      return window.page.locator('.tabs-container .tab', { hasText: 'doomed-' }).count();
    };
    await expect.poll(open, { timeout: 45_000, interval: 2_000 }).toBe(1);
    writeFileSync(join(host.home, 'workspace/doom'), '');
    await expect.poll(() => textOf('doomed'), { timeout: 45_000 }).toContain('exited with 1');
    expect(await window.page.locator('.activitybar .badge-content:visible').count()).toBe(0);
  });

  it('shows what the filter fits and what is above it, and everything again', async () => {
    await window.command('Filter Tasks…');
    await window.pick('', 'Text');
    await window.answer('after');
    await window.node('Pending').or(window.node('after')).first().waitFor();
    await expect.poll(() => window.node('another').count(), { timeout: 45_000 }).toBe(0);
    await window.node('after').waitFor();
    await window.shot('filtered');
    await window.command('Show All Tasks');
    await window.node('another').waitFor();
    await window.command('Filter Tasks…');
    await window.pick('', 'Label');
    await window.pick('stage', 'stage=fit');
    await window.page.keyboard.press('Enter');
    await window.node('another').waitFor({ state: 'detached' });
    await window.node('broken').waitFor();
    await window.command('Show All Tasks');
    await window.node('another').waitFor();
  });

  it('says more of a task where the pointer rests, for as long as somebody reads', async () => {
    await window.expand('Running');
    const hover = window.page.locator('.monaco-hover:visible', { hasText: 'sleep 600' });
    // A line that changes each second may do so before VS Code has thought of its hover; a person moves again.
    const isThere = async () => {
      await window.node('broken').hover();
      await window.node('long').hover();
      return hover.waitFor({ timeout: 3_000 }).then(
        () => true,
        () => false,
      );
    };
    await expect.poll(isThere, { timeout: 45_000 }).toBe(true);
    await window.shot('hover');
    // What runs goes on, and other tasks come, without a change of the lines that are read.
    await host.program('vbatch', '--wait', '--name', 'meanwhile', 'true');
    expect(await hover.isVisible()).toBe(true);
  });

  it('cancels what runs only when that is confirmed, and what is selected stays where it is', async () => {
    await window.node('long').click();
    await window.node('long').locator('.action-label[aria-label="Cancel Task"]').click();
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.getByText('Cancel long?').waitFor();
    await window.shot('confirm');
    await dialog.locator('.monaco-button', { hasText: 'Cancel Task' }).click();
    await window.node('Cancelled').waitFor();
    await expect.poll(() => textOf('long'), { timeout: 45_000 }).toContain('cancelled');
    await expect.poll(() => textOf('fan'), { timeout: 45_000 }).toContain('114/114');
    expect(await window.node('long').getAttribute('class')).toContain('selected');
    await window.shot('kept');
    await window.node('another').click();
    await window.node('long').waitFor({ state: 'detached' });
    await window.node('Running').waitFor({ state: 'detached' });
  });
});
