/** One day of a person with the extension, in a clean VS Code that has the .vsix installed. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { possible, Testbed } from '../support/testbed/testbed.ts';
import { endServer, type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import { Window } from './window.ts';

let browser: Browser;
let host: Host;
let window: Window;
/** Its sixth line fails in its second. */
const brokenProgram = `def load(path):
    return open(path)

if __name__ == "__main__":
    print("loading")
    load("missing.csv")
`;
/** A machine to ssh into; null where none can be made. */
let bed: Testbed | null = null;

beforeAll(async () => {
  const vsix = join(projectFolder, '.tmp/vscode-tests/vbatch.vsix');
  mkdirSync(dirname(vsix), { recursive: true });
  await promisify(execFile)(process.execPath, ['package.mjs', vsix], { cwd: projectFolder });
  [browser, host] = await Promise.all([startBrowser(), startHost({ name: 'latest', vsix })]);
  const workspace = join(host.home, 'examples');
  cpSync(join(projectFolder, 'examples'), workspace, { recursive: true });
  writeFileSync(join(workspace, 'broken.py'), brokenProgram);
  if (possible() === null) bed = await addMachine(host);
  window = await Window.open(await sealedContext(browser), host.url(workspace), 'day');
});

afterAll(async () => {
  await window.shot('end');
  await browser.close();
  await host.stop();
  await bed?.down();
});

/** Makes a machine that ssh knows by its name alone: its key is unknown, and ours has a passphrase. */
async function addMachine({ home }: Host): Promise<Testbed> {
  const made = await Testbed.up({ hosts: [{ name: 'gpubox', gpus: 2 }] });
  const { key, encryptedKey, knownHosts } = made.clientFolder;
  const sshConfig = readFileSync(made.sshConfig, 'utf8')
    .replace(key, encryptedKey)
    .replace(knownHosts, join(home, 'known_hosts'))
    .replace('StrictHostKeyChecking yes', 'StrictHostKeyChecking ask')
    .replace('BatchMode yes', 'BatchMode no');
  writeFileSync(join(home, 'ssh_config'), sshConfig);
  writeFileSync(join(home, 'config.yaml'), `ssh_config: ${join(home, 'ssh_config')}\n`);
  return made;
}

/** Each scene goes on where the one before has ended. */
let isBroken = false;

describe('a day with the extension', { retry: 0 }, () => {
  beforeEach(({ skip, onTestFailed }) => {
    skip(isBroken, 'an earlier scene has failed');
    onTestFailed(() => {
      isBroken = true;
    });
  });

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

  it('a failed run says so, and a retry runs only what has failed', async () => {
    await window.openFile('embedded/pipeline_with_typo.sh');
    await window.lens('Run as vbatch').click();
    await window.lens('failed').waitFor();
    await window.notification('failed').waitFor();
    await window.shot('failed');
    await window.notification('failed').getByRole('button', { name: 'Retry' }).click();
    await window.notification('failed').waitFor({ state: 'hidden' });
  });

  it("a task's log leads from a traceback to the line, which is a problem as well", async () => {
    await window.openFile('broken.py');
    await window.lens('Run as vbatch').click();
    await window.lens('failed').waitFor();
    await window.row('broken').click();
    await window.sees('editor', /FileNotFoundError/);
    await window.shot('log');
    await window.followLink('line 2', 'broken.py');
    await window.page.locator('.statusbar-item', { hasText: 'Ln 2,' }).waitFor();
    await window.page.locator('.squiggly-error').first().waitFor();
    await window.command('Problems: Focus on Problems View');
    await window.page.locator('.markers-panel .monaco-list-row', { hasText: 'missing.csv' }).waitFor();
    await window.shot('problem');
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
    await window.command('Terminal: Focus Terminal');
    await window.sees('terminal', /typed-/);
    await window.type('clear; vctl list');
    await window.sees('terminal', /typed-\w+ .*RUNNING/);
    await window.shot('came-back');
  });

  it('what runs is cancelled on its line in the tree', async () => {
    await window.row('typed').hover();
    await window.row('typed').locator('.action-label[aria-label^="Cancel Task"]').click();
    await window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Cancel Task' }).click();
    await window.row('typed').filter({ hasText: 'cancelled' }).waitFor();
  });

  it('a host is added, which asks for its key and a passphrase, and runs a task', async ({ skip }) => {
    if (bed === null) return skip('no machine can be made here');
    await window.command('vbatch: Add SSH Host');
    await window.pick('gpubox', 'Add gpubox');
    await window.page
      .locator('.quick-input-list .monaco-list-row', { hasText: 'Accept and connect' })
      .waitFor();
    await window.shot('host-key');
    await window.page.keyboard.press('Enter');
    await window.page.locator('.quick-input-widget input[type="password"]').waitFor();
    await window.shot('passphrase');
    await window.answer(bed.clientFolder.passphrase);
    await window.notification('gpubox').waitFor();
    await window.row('gpubox').filter({ hasText: 'online' }).waitFor();
    await window.type("clear; vrun -C / -P gpu-1 sh -c 'hostname; echo GPU=$CUDA_VISIBLE_DEVICES'");
    await window.sees('terminal', /^gpubox *\nGPU=\d/m);
    await window.shot('gpubox');
  });

  it.each([
    ['Dark Modern', 'vs-dark'],
    ['Dark High Contrast', 'hc-black'],
    ['Light High Contrast', 'hc-light'],
  ])('is to be looked at in %s', async (theme, kind) => {
    await window.command('Preferences: Color Theme');
    await window.pick(theme, theme);
    await window.page.locator(`.monaco-workbench.${kind}`).waitFor();
    await window.shot(kind);
  });
});
