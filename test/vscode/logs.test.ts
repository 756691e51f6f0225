/** The log of a task as a person reads it: colours, following, places to jump to, and what stays after a reload. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import { Window } from './window.ts';

let browser: Browser;
let host: Host;
let window: Window;
let workspace: string;

/** Says something on both streams and in colours, goes on for as long as the file `going` is there, and fails. */
const noisy = `#!/bin/sh
printf 'plain \\033[32mgreen\\033[0m \\033[1;31mbold red\\033[0m \\033[7minverse\\033[0m \\033[38;5;208morange\\033[0m \\033[3;4mitalic\\033[0m\\n'
echo 'a warning on stderr' >&2
printf '10%%\\r50%%\\r100%%\\n'
i=0
while [ -e going ]; do i=$((i + 1)); echo "step $i"; sleep 0.05; done
python3 train.py
`;

beforeAll(async () => {
  [browser, host] = await Promise.all([startBrowser(), startHost({ name: 'latest' })]);
  workspace = join(host.home, 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'noisy.sh'), noisy);
  chmodSync(join(workspace, 'noisy.sh'), 0o755);
  writeFileSync(join(workspace, 'going'), '');
  writeFileSync(join(workspace, 'train.py'), 'def step(loss):\n    return 1 / loss\n\n\nstep(0)\n');
  const url = host.url(workspace, { extensionDevelopmentPath: projectFolder });
  window = await Window.open(await sealedContext(browser), url, 'log');
});

afterAll(async () => {
  await window.shot('end');
  await browser.close();
  await host.stop();
});

describe('the log of a task', () => {
  it('opens with a click, in colours, and follows what is written', async () => {
    await window.openFile('noisy.sh');
    await window.lens('Run as vbatch').click();
    await window.showView();
    await window.row('noisy').click();
    await window.sees('editor', /step \d+/);
    await window.sees('editor', /step 60\b/);
    await window.shot('following');
  });

  it('stays where somebody scrolls to, until the end is asked for', async () => {
    await window.page.locator('.editor-group-container.active .monaco-editor').first().hover();
    // Lines that come meanwhile take it down once more, perhaps, but not when it is seen to have been let go of.
    await expect
      .poll(
        async () => {
          await window.page.mouse.wheel(0, -5_000);
          const first = await window.page.locator('.view-line', { hasText: 'bold red' }).count();
          return first + (await button('Follow the End').count());
        },
        { timeout: 30_000 },
      )
      .toBe(2);
    await window.shot('released');
    expect(await colourOf('green')).not.toBe(await colourOf('plain '));
    await button('Follow the End').click();
    await button('Stop Following').waitFor();
    await window.sees('editor', /step \d+/);
  });

  it('tells how the task has ended, and leads from its traceback to the line', async () => {
    rmSync(join(workspace, 'going'));
    await window.sees('editor', /ZeroDivisionError/);
    await window.page.locator('.statusbar-item[id="status.problems"]', { hasText: '1' }).waitFor();
    await window.shot('ended');
    await window.followLink('line 2', 'train.py');
    await window.page.locator('.statusbar-item', { hasText: 'Ln 2' }).waitFor();
    await window.shot('line');
  });

  it('is open again after the window was loaded anew, behind what was in front, where it was read', async () => {
    const tab = window.page.locator('.tabs-container .tab', { hasText: 'noisy-' });
    await tab.dblclick();
    await window.page.keyboard.press('Control+Home');
    await window.sees('editor', /plain green/);
    await window.page.locator('.tabs-container .tab', { hasText: 'train.py' }).dblclick();
    await window.reload();
    await tab.waitFor();
    await window.page.locator('.tabs-container .tab.active', { hasText: 'train.py' }).waitFor();
    await tab.click();
    await window.sees('editor', /plain green/);
    await window.shot('reloaded');
    await window.page.keyboard.press('Control+End');
    await window.sees('editor', /ZeroDivisionError/);
    // In front, it comes back to the front, at its end.
    await window.reload();
    await window.sees('editor', /ZeroDivisionError/);
  });
});

/** A button above the editor, by its title. */
function button(title: string) {
  return window.page.locator('.editor-group-container.active').getByRole('button', { name: title });
}

/** The colour of a word in the editor. */
function colourOf(text: string): Promise<unknown> {
  const word = window.page.locator('.view-line span span', { hasText: text }).last();
  // This project's types know no DOM.
  return word.evaluate((span) => Reflect.get(globalThis, 'getComputedStyle')(span).color as unknown);
}
