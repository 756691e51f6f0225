/** Runs test/vscode/suite inside the newest and the oldest VS Code. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleSuite } from './bundle.ts';
import { startBrowser } from './host.ts';
import { type Outcome, runSuite } from './inHost.ts';

let browser: Browser;
/** What the extension host is told to load. */
let module: string;

beforeAll(async () => {
  [browser, module] = await Promise.all([startBrowser(), bundleSuite()]);
});

afterAll(() => browser.close());

describe.each(['latest', 'minimum'] as const)('in the %s VS Code', (name) => {
  it('every test of the suite passes', async () => {
    expectSuccess(await runSuite(browser, { name, suite: 'all', module }));
  });
});

it('nothing runs in a folder that is not trusted', async () => {
  expectSuccess(await runSuite(browser, { name: 'latest', suite: 'untrusted', module }));
});

function expectSuccess({ results, output }: Outcome): void {
  expect(results, output).not.toEqual([]);
  const failed = results.filter(({ error }) => error !== null);
  expect(failed.map(({ title, error }) => `${title}\n${error}`).join('\n'), output).toBe('');
}
