/** The graph page in a real browser, on a real server, with pipelines as a person writes them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../server/client/client.ts';
import { browserPath, newPage, screenshot, startBrowser } from '../support/browser.ts';
import { Person } from '../support/person.ts';
import { Sandbox } from './sandbox.ts';

const waitMs = 20_000;
const poll = <Value>(read: () => Value | Promise<Value>) => expect.poll(read, { timeout: waitMs });

describe.skipIf(browserPath === undefined)('the graph page', () => {
  let sandbox: Sandbox;
  let browser: Browser;

  beforeAll(async () => {
    sandbox = new Sandbox();
    browser = await startBrowser();
    sandbox.write(
      'gate.sh',
      '#!/bin/sh\nseq 1 100\necho "$1 begins"\nread -r code < "$1.gate"\nprintf "\\033[31m%s ends\\033[0m\\n" "$1"\nexit "$code"\n',
    );
    sandbox.write(
      'training_pipeline.sh',
      `#!/bin/bash
vbatch --name process ./gate.sh process
vbatch --name train --after-success process ./gate.sh train
vbatch --name repair --after-fail process true
vbatch --name eval --after-success train --after missing true
read -r code < hold.gate
`,
    );
    sandbox.write(
      'fan_out.sh',
      `#!/bin/bash
for i in $(seq 1 20); do vbatch --name "part-$i.csv" true; done
vbatch --name sum --after-success 'part-*.csv' ./gate.sh sum
vbatch --name nested ./nested.sh
`,
    );
    sandbox.write(
      'nested.sh',
      '#!/bin/bash\nvrun --name inner true\nvbatch --name deep --after inner true\n',
    );
    for (const name of ['process', 'train', 'sum', 'hold'])
      execFileSync('mkfifo', [join(sandbox.work, `${name}.gate`)]);
  });
  afterAll(async () => {
    await browser?.close();
    await sandbox?.remove();
  });

  const openGate = (name: string, code = 0) => sandbox.shell(`echo ${code} > ${name}.gate`);
  const address = async (id = '') => (await sandbox.shell(`vctl open --print ${id}`)).stdout.trim();
  /** The same, sooner. */
  const quickAddress = async (id: string) => {
    const found = sandbox.discovery();
    if (found === null) throw new Error('no server runs');
    return new Client(found).pageAddress(id);
  };
  /** Waits for an item of the graph that is read aloud like this. */
  const item = (page: Page, text: RegExp | string) =>
    page
      .locator('.item')
      .and(page.getByRole('button', { name: text }))
      .first();
  const seen = (page: Page, text: RegExp | string) =>
    item(page, text).waitFor({ state: 'attached', timeout: waitMs });
  const labels = (page: Page) =>
    page.locator('.item').evaluateAll((found) => found.map((each) => each.getAttribute('aria-label')));
  const focused = (page: Page) =>
    page.evaluate<string | null>('document.activeElement?.getAttribute("aria-label")');
  const key = (page: Page) => page.evaluate<string>('sessionStorage.getItem("vbatch.key")');

  it('draws a pipeline as it is, live, until its end, over a lost connection', async () => {
    const id = await sandbox.submit('vbatch ./training_pipeline.sh');
    const { page, errors } = await newPage(browser);
    const streams: { url: string; close: () => void }[] = [];
    await page.routeWebSocket(/v1\/events/, (socket) => {
      const server = socket.connectToServer();
      streams.push({
        url: socket.url(),
        close: () => {
          void server.close();
          void socket.close();
        },
      });
    });
    await page.goto(await address(id));
    await seen(page, /^eval, waiting/);
    await seen(page, /^process, running/);
    expect((await labels(page)).slice(1)).toEqual([
      'process, running',
      'train, waiting, after success of process',
      'repair, waiting, after failure of process',
      'eval, waiting, after success of train, after any end of missing',
      'missing, not submitted yet',
    ]);
    expect(page.url()).not.toContain('open');
    await screenshot(page, 'pipeline-running');

    // Too near for all to be seen, so that what runs next has to be come to.
    await item(page, /^process/).focus();
    for (let times = 0; times < 6; times++) await page.keyboard.press('+');
    const graph = await page.locator('.graph').boundingBox();
    const isSeen = async (name: RegExp) => {
      const box = await item(page, name).boundingBox();
      return box !== null && graph !== null && box.x >= graph.x && box.x + box.width <= graph.x + graph.width;
    };
    expect(await isSeen(/^train/)).toBe(false);
    await page.locator('vscode-checkbox', { hasText: 'Follow what runs' }).click();
    streams.at(-1)?.close();
    await openGate('process');
    await seen(page, /^train, running/);
    await poll(() => isSeen(/^train, running/)).toBe(true);
    await seen(page, /^repair, skipped/);
    expect(streams.length).toBe(2);
    expect(new URL(streams[1]?.url ?? '').searchParams.get('after')).not.toBe('0');

    await openGate('train', 3);
    await seen(page, /^train, failed, exit code 3/);
    await openGate('hold');
    await seen(page, /^missing, never submitted/);
    await screenshot(page, 'pipeline-failed');
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('shows nothing, and nothing black, before there is something to draw', async () => {
    const id = await sandbox.submit('vbatch --name shown true');
    const { page } = await newPage(browser);
    let connect = () => {};
    await page.routeWebSocket(/v1\/events/, (socket) => {
      connect = () => void socket.connectToServer();
    });
    await page.goto(await address(id));
    const canvas = page.locator('.graph > canvas').first();
    await canvas.waitFor({ state: 'attached' });
    expect(await canvas.isVisible()).toBe(false);
    connect();
    await canvas.waitFor({ timeout: waitMs });
    await page.context().close();
  });

  it('stacks a fan-out, folds and unfolds, and is walked by keyboard alone', async () => {
    const id = await sandbox.submit('vbatch ./fan_out.sh');
    const { page, errors } = await newPage(browser, { reducedMotion: 'reduce', colorScheme: 'dark' });
    await page.goto(await address(id));
    await seen(page, '20 × true: 20 done');
    await seen(page, /^sum, running/);
    await seen(page, /^deep, done/);
    await item(page, /^fan_out/).focus();
    await page.keyboard.press('PageDown');
    expect(await focused(page)).toBe('20 × true: 20 done');
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toMatch(/^sum, running/);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await page
      .locator('.item[aria-expanded="true"]')
      .and(page.getByRole('button', { name: '20 × true' }))
      .waitFor({ state: 'attached' });
    await page.keyboard.press('PageDown');
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toBe('part-2.csv, done, 2 of 20');
    await page.locator('.panel h2', { hasText: 'part-2.csv' }).waitFor();
    await page.locator('.panel li', { hasText: 'sum (running)' }).waitFor();
    await screenshot(page, 'fan-out-open');
    await page.keyboard.press('Escape');
    expect(await focused(page)).toBe('20 × true: 20 done');

    await item(page, /^nested/).focus();
    await page.keyboard.press('Enter');
    await page
      .locator('.item', { hasText: '' })
      .and(page.getByRole('button', { name: /^deep/ }))
      .waitFor({ state: 'detached' });
    await page.reload();
    await seen(page, /^nested, done, 2 of 2/);
    await seen(page, /^20 × true/);
    expect(await item(page, /^20 × true/).getAttribute('aria-expanded')).toBe('true');
    expect((await labels(page)).some((label) => label?.startsWith('deep'))).toBe(false);
    await page.locator('.panel h2', { hasText: 'nested' }).waitFor();
    await openGate('sum');
    await seen(page, /^sum, done/);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('finds by text and status, shows the log, and goes back', async () => {
    const { page } = await newPage(browser);
    await page.goto(await address('fan_out'));
    await seen(page, /^sum/);
    await page.locator('vscode-text-field input').fill('deep');
    await page.locator('.summary', { hasText: '1 found' }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.panel h2', { hasText: 'deep' }).waitFor();
    await page.locator('vscode-text-field input').fill('sum');
    await page.keyboard.press('Enter');
    await page.locator('.panel .log', { hasText: 'sum ends' }).waitFor();
    // Longer than its place, and at its end.
    const below = `(({ scrollHeight, scrollTop, clientHeight }) =>
      [scrollTop > 0, Math.abs(scrollHeight - scrollTop - clientHeight) < 2])(document.querySelector('.panel pre'))`;
    expect(await page.evaluate(below)).toEqual([true, true]);
    await page.locator('.panel vscode-button', { hasText: 'Logs' }).click();
    await page.locator('.logPage pre', { hasText: 'sum begins' }).waitFor();
    const red = page.locator('.logPage pre span', { hasText: 'sum ends' });
    expect(await red.getAttribute('style')).toContain('--vscode-terminal-ansiRed');
    await screenshot(page, 'log');
    await page.locator('vscode-button', { hasText: 'Back' }).click();
    await page.locator('.panel h2', { hasText: 'sum' }).waitFor();
    await page.context().close();
  });

  it('lists runs, and cancels one', async () => {
    const { page } = await newPage(browser, { colorScheme: 'light' });
    await page.goto(await address());
    await page.locator('.rows li', { hasText: 'fan_out' }).waitFor();
    const id = await sandbox.submit('vbatch --name endless sleep 1000');
    const row = page.locator('.rows li', { hasText: id });
    await row.locator('.status', { hasText: /^running$/ }).waitFor({ timeout: waitMs });
    await screenshot(page, 'runs');
    await row.locator('vscode-button', { hasText: 'Cancel' }).click();
    await row.locator('.status', { hasText: 'cancelled' }).waitFor({ timeout: waitMs });
    expect((await sandbox.task(id)).status).toBe('CANCELLED');
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await page.context().close();
  });

  it('has nothing that axe finds wrong, light and dark, and follows the theme', async () => {
    const { page } = await newPage(browser, { colorScheme: 'light' });
    await page.goto(await address('fan_out'));
    await seen(page, /^sum/);
    await page.locator('.panel .log', { hasText: 'fan_out' }).waitFor();
    const corner = () =>
      page.evaluate<number>(
        'document.querySelector(".graph canvas").getContext("2d").getImageData(2, 2, 1, 1).data[0]',
      );
    const isDark = async () => (await corner()) < 128;
    expect(await isDark()).toBe(false);
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await poll(isDark).toBe(true);
    await page.locator('vscode-button[aria-label="Keys and mouse"]').click();
    await page.locator('dialog', { hasText: 'Page Down' }).waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'hidden' });
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await screenshot(page, 'dark');
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
    await poll(isDark).toBe(false);
    await screenshot(page, 'high-contrast');
    await page.context().close();
  });

  it('is opened by what vbatch prints at a terminal, and by vctl open', async () => {
    const { work, env } = sandbox;
    const person = new Person(['vbatch', '--name', 'typed', 'true'], { cwd: work, env });
    await person.ended;
    const { page } = await newPage(browser);
    await page.goto(/http:\S+/.exec(person.shown)?.[0] ?? '');
    await seen(page, /^typed, done/);
    sandbox.write('screen/xdg-open', '#!/bin/sh\necho "$1" > opened\n');
    await sandbox.shell('DISPLAY=:9 PATH="$PWD/screen:$PATH" vctl open typed');
    await poll(() => existsSync(join(work, 'opened')) && sandbox.read('opened')).toMatch(/^file:.*html\n/);
    const { page: opened } = await newPage(browser);
    await opened.goto(sandbox.read('opened').trim());
    await seen(opened, /^typed, done/);
    for (const each of [page, opened]) await each.context().close();
  });

  it('lets nobody in twice by one address, and shows nothing to a wrong key', async () => {
    const once = await address('fan_out');
    const { page: first } = await newPage(browser);
    await first.goto(once);
    await seen(first, /^sum/);
    const { page: second } = await newPage(browser);
    await second.goto(once);
    await second.locator('.failure', { hasText: 'vctl open' }).waitFor();
    await second.evaluate('sessionStorage.setItem("vbatch.key", "wrong")');
    await second.goto(`${new URL(once).origin}/#run/fan_out`);
    await second.reload();
    await second.locator('.note', { hasText: 'trying again' }).waitFor();
    expect(await second.locator('.item').count()).toBe(0);
    // A page of another origin holds the right key, and gets nothing all the same.
    const { page: foreign } = await newPage(browser);
    await foreign.goto('data:text/html,foreign');
    const reached = `new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(`ws://${new URL(once).host}/v1/events`)}, ['vbatch', ${JSON.stringify(`vbatch.token.${await key(first)}`)}]);
      socket.onmessage = () => resolve('told');
      socket.onclose = () => resolve('refused');
    })`;
    expect(await foreign.evaluate(reached)).toBe('refused');
    for (const page of [first, second, foreign]) await page.context().close();
  });

  it('comes back by itself when the server was killed, and tells nothing to who has its port meanwhile', async () => {
    const id = await sandbox.submit('vbatch --name lasting ./gate.sh sum');
    const { page, errors } = await newPage(browser);
    await page.goto(await address(id));
    await seen(page, /^lasting, running/);
    await page.locator('.panel .log', { hasText: 'sum begins' }).waitFor();
    const [port, oldKey] = [sandbox.discovery()?.port ?? 0, await key(page)];
    const told: string[] = [];
    const impostor = createServer((request, response) => {
      told.push(`${request.url} ${JSON.stringify(request.headers)}`);
      request.on('data', (data: Buffer) => told.push(data.toString()));
      request.on('end', () => response.end('{"nonce":"n","proof":"p"}'));
    });
    impostor.on('upgrade', (request, socket) => {
      told.push(`${request.url} ${JSON.stringify(request.headers)}`);
      socket.destroy();
    });
    sandbox.killServer();
    await poll(() => listen(impostor, port)).toBe(true);
    await page.locator('.note', { hasText: 'Another program has the port' }).waitFor();
    const passed = told.filter((text) => text.startsWith('/v1/page/return'));
    expect(passed.length).toBeGreaterThan(0);
    expect(told.join('\n')).not.toContain(oldKey);
    impostor.closeAllConnections();
    await new Promise((resolve) => impostor.close(resolve));

    await sandbox.shell('vctl list');
    expect(sandbox.discovery()?.port).toBe(port);
    await openGate('sum');
    await seen(page, /^lasting, done/);
    await page.locator('.panel .log', { hasText: 'sum ends' }).waitFor();
    expect(await key(page)).not.toBe(oldKey);
    await page.reload();
    await seen(page, /^lasting, done/);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('keeps twenty pages up to date at once', async () => {
    const id = await sandbox.submit('vbatch --name many ./gate.sh sum');
    const { page: first } = await newPage(browser);
    const pages = [first];
    while (pages.length < 20) pages.push(await first.context().newPage());
    await Promise.all(
      pages.map(async (page) => {
        await page.goto(await quickAddress(id));
        await seen(page, /^many, running/);
      }),
    );
    await openGate('sum');
    await Promise.all(pages.map((page) => seen(page, /^many, done/)));
    await first.context().close();
  });
});

/** Whether the port was free. */
function listen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}
