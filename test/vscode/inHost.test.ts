/** Runs test/vscode/suite inside the newest and the oldest VS Code; each of its tests is one of ours. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleSuite } from './bundle.ts';
import { type HostName, projectFolder, sealedContext, startBrowser, startHost } from './host.ts';
import type { Result } from './suite/index.ts';

let browser: Browser;
let suite: string;

beforeAll(async () => {
  [browser, suite] = await Promise.all([startBrowser(), bundleSuite()]);
});

afterAll(() => browser.close());

describe.each(['latest', 'minimum'] as const)('in the %s VS Code', (name) => {
  it('every test of the suite passes', async () => {
    const { results, output } = await runSuite(name);
    expect(results, output).not.toEqual([]);
    const failed = results.filter(({ error }) => error !== null);
    expect(failed.map(({ title, error }) => `${title}\n${error}`).join('\n'), output).toBe('');
  });
});

/** VS Code reports success also where its extension host dies, so only a report that was written counts. */
async function runSuite(name: HostName): Promise<{ results: readonly Result[]; output: string }> {
  const folder = join(projectFolder, '.tmp/vscode-tests');
  const report = join(folder, `report-${name}-${process.pid}.json`);
  const host = await startHost({ name, env: { VBATCH_TEST_REPORT: report } });
  const lines: string[] = [];
  try {
    const workspace = join(host.home, 'workspace');
    mkdirSync(join(workspace, '.vscode'), { recursive: true });
    const tasks = [{ type: 'vbatch', label: 'seven', command: 'exit 7', problemMatcher: [] }];
    writeFileSync(join(workspace, '.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks }));
    const context = await sealedContext(browser);
    const page = await context.newPage();
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
      lines.push(format(...args));
    });
    const done = new Promise<void>((resolve, reject) => {
      page.on('crash', () => reject(new Error('the window crashed')));
      host.process.once('exit', () => reject(new Error(`VS Code ended:\n${host.output()}`)));
      void page.exposeFunction('codeAutomationExit', () => resolve()).catch(reject);
    });
    await page.goto(
      host.url(workspace, { extensionDevelopmentPath: projectFolder, extensionTestsPath: suite }),
    );
    await done;
    await context.close();
  } finally {
    await host.stop();
  }
  const results = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Result[]) : [];
  return { results, output: lines.join('\n') };
}
