/** The oldest VS Code is the one that is strict about its tree: what is given in two places at once is an error there. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BusyServer, busyServer } from '../support/busyServer.ts';
import { type Host, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import { Window } from './window.ts';

let browser: Browser;
let host: Host;
let server: BusyServer;
let window: Window;
const complaints: string[] = [];

function row(label: string): Locator {
  return window.node(label);
}

async function expand(label: string): Promise<void> {
  // A click may meet the moment in which VS Code asks for this part anew; a person clicks again.
  const open = async () => {
    if ((await row(label).getAttribute('aria-expanded')) === 'false') await window.expand(label);
    return row(label).getAttribute('aria-expanded');
  };
  await expect.poll(open, { timeout: 45_000, interval: 1_000 }).toBe('true');
}

beforeAll(async () => {
  [browser, host] = await Promise.all([startBrowser(), startHost({ name: 'minimum' })]);
  server = await busyServer(host.state, 2_000);
  const workspace = join(host.home, 'workspace');
  mkdirSync(workspace);
  const url = host.url(workspace, { extensionDevelopmentPath: projectFolder });
  window = await Window.open(await sealedContext(browser), url, 'busy');
  window.page.on('console', (message) => {
    if (/registered|TreeError|Unable to refresh/.test(message.text())) complaints.push(message.text());
  });
  await window.showView();
});

afterAll(async () => {
  await browser.close();
  // First of all, or the host's own ending would kill the process that it is in.
  await server.close();
  await host.stop();
});

describe('a tree of which hundreds of tasks change each second', () => {
  it('keeps what is open, selected and in its place, whatever moves between groups that are open', async () => {
    await expand('calm');
    await row('leaf').click();
    await expand('fan');
    await expand('Queued');
    const place = await row('leaf').getAttribute('data-index');
    server.begin(500);
    // Groups come, are opened, and tasks go from one to the next all the while.
    await expand('Running');
    await expand('Succeeded');
    const seen = new Set<string>();
    const pictures = async () => seen.add(await row('fan').innerText()).size;
    await expect.poll(pictures, { timeout: 60_000 }).toBeGreaterThan(5);
    await window.shot('tree');
    expect(await row('leaf').getAttribute('class')).toContain('selected');
    expect(await row('leaf').getAttribute('data-index')).toBe(place);
    for (const label of ['calm', 'fan', 'Queued', 'Running', 'Succeeded']) {
      const open = await row(label).evaluateAll((rows) =>
        rows.map((each) => each.getAttribute('aria-expanded')),
      );
      expect(open, label).not.toContain('false');
    }
    expect(complaints).toEqual([]);
  });
});
