/** The log of a task as a person reads it: colours, following, places to jump to, and what stays after a reload. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { possible, Testbed } from '../support/testbed/testbed.ts';
import { type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import { Window } from './window.ts';

let browser: Browser;
let host: Host;
let window: Window;
let workspace: string;
/** A machine to ssh into; null where none can be made. */
let bed: Testbed | null = null;

/** Says something on both streams and in colours, goes on for as long as the file `going` is there, and fails. */
const noisy = `#!/bin/sh
printf 'plain \\033[32mgreen\\033[0m \\033[1;31mbold red\\033[0m \\033[7minverse\\033[0m \\033[38;5;208morange\\033[0m \\033[3;4mitalic\\033[0m\\n'
echo 'a warning on stderr' >&2
printf '10%%\\r50%%\\r100%%\\n'
i=0
while [ -e going ]; do i=$((i + 1)); echo "step $i"; sleep 0.05; done
python3 train.py
`;

/** Waits for a file of its machine, and fails in its sixth line. What it writes before that takes a while to come here. */
const far = `import os, sys, time
print("at work", flush=True)
while not os.path.exists("/root/go"):
    time.sleep(0.05)
sys.stderr.write(("." * 99 + "\\n") * 300_000)
raise RuntimeError("no more")
`;

beforeAll(async () => {
  [browser, host, bed] = await Promise.all([
    startBrowser(),
    startHost({ name: 'latest' }),
    possible() === null ? Testbed.up({ hosts: [{ name: 'far', disk: '128m' }] }) : null,
  ]);
  if (bed !== null) addMachine(host, bed);
  workspace = join(host.home, 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'noisy.sh'), noisy);
  chmodSync(join(workspace, 'noisy.sh'), 0o755);
  writeFileSync(join(workspace, 'going'), '');
  writeFileSync(join(workspace, 'far.py'), far);
  // Not meant, though it is called alike and nearer to where the task is submitted from.
  mkdirSync(join(workspace, 'sub'));
  writeFileSync(join(workspace, 'sub/far.py'), '');
  writeFileSync(join(workspace, 'train.py'), 'def step(loss):\n    return 1 / loss\n\n\nstep(0)\n');
  const url = host.url(workspace, { extensionDevelopmentPath: projectFolder });
  window = await Window.open(await sealedContext(browser), url, 'log');
});

afterAll(async () => {
  await window.shot('end');
  await browser.close();
  await host.stop();
  await bed?.down();
});

/** Makes the machine a host that is known to be lost soon after it is. */
function addMachine({ home }: Host, { sshConfig }: Testbed): void {
  const config = join(home, 'ssh_config');
  writeFileSync(config, `ServerAliveInterval 1\nServerAliveCountMax 1\n${readFileSync(sshConfig, 'utf8')}`);
  writeFileSync(
    join(home, 'config.yaml'),
    `ssh_config: ${config}\nhosts:\n  far: {}\npools:\n  far: { hosts: [far], cpus: 1 }\n`,
  );
}

describe('the log of a task', () => {
  it('opens with a click, in colours, and follows what is written', async () => {
    await window.openFile('noisy.sh');
    await window.lens('Run as vbatch').click();
    await window.showView();
    await openLog('noisy');
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
    // The extension puts the cursor there; a key that comes before would be undone.
    await window.page.locator('.statusbar-item', { hasText: /Ln [1-9]\d+,/ }).waitFor();
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

describe('the log of a task on another machine', () => {
  it('says since when that is unreachable, and that the rest is being fetched', async ({ skip }) => {
    if (bed === null) return skip('no machine can be made here');
    const command = 'exec python3 "$VBATCH_WORKSPACE/far.py"';
    await host.program('vbatch', '-P', 'far', '--name', 'remote', '-C', 'sub', 'sh', '-c', command);
    await openLog('remote');
    await window.sees('editor', /at work/);
    await bed.host('far').link('down');
    await noted(/far is unreachable since/);
    await window.shot('unreachable');
    await bed.host('far').exec(['touch', '/root/go']);
    await bed.host('far').link('up');
    await noted(/fetching the rest from far/);
    await window.shot('fetching');
    await window.sees('editor', /RuntimeError: no more/);
    await noted(/ended with exit code 1/);
  });

  it('leads to the files here that the paths there are copies of', async ({ skip }) => {
    if (bed === null) return skip('no machine can be made here');
    await window.followLink('tree/far.py', 'far.py');
    await window.page.locator('.statusbar-item', { hasText: 'Ln 6,' }).waitFor();
    await window.shot('far');
  });

  it('leaves the focus in the tree, but for a double click', async () => {
    const hasFocus = (part: string) =>
      window.page.waitForFunction(`document.activeElement.closest('${part}') !== null`);
    await window.row('noisy').click();
    await window.page.locator('.tabs-container .tab.active', { hasText: 'noisy-' }).waitFor();
    await hasFocus('.part.sidebar');
    await window.row('noisy').dblclick();
    await hasFocus('.part.editor');
  });
});

/** Waits until something is said below the log. Text that is no part of the document is of no element, but of a style. */
async function noted(pattern: RegExp): Promise<void> {
  const notes = `[...document.querySelectorAll('.editor-group-container.active .view-line span')]
    .map((span) => getComputedStyle(span, '::after').content).join()`;
  await window.page.waitForFunction(`${String(pattern)}.test(${notes})`);
}

/** Clicks a task in the tree, and again where VS Code has just asked for it anew and has missed the click. */
async function openLog(name: string): Promise<void> {
  const click = async () => {
    await window.row(name).click();
    return window.page.locator('.tabs-container .tab', { hasText: `${name}-` }).count();
  };
  await expect.poll(click, { timeout: 45_000, interval: 2_000 }).toBe(1);
}

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
