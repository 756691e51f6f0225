/** Runs the suites inside an extension host. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import type { Browser } from 'playwright-core';
import { type HostName, projectFolder, sealedContext, startHost } from './host.ts';
import type { Result } from './suite/index.ts';

export interface SuiteRun {
  readonly name: HostName;
  readonly suite: 'all' | 'untrusted';
  /** The bundle of all suites (bundle.ts). */
  readonly module: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly results: readonly Result[];
  readonly output: string;
}

/** VS Code reports success also where its extension host dies, so only a report that was written counts. */
export async function runSuite(browser: Browser, { name, suite, module, env }: SuiteRun): Promise<Outcome> {
  const folder = join(projectFolder, '.tmp/vscode-tests');
  const report = join(folder, `report-${name}-${process.pid}.json`);
  rmSync(report, { force: true });
  const host = await startHost({
    name,
    env: { ...env, VBATCH_TEST_REPORT: report, VBATCH_TEST_SUITE: suite },
    settings: {
      'security.workspace.trust.enabled': suite === 'untrusted',
      'security.workspace.trust.startupPrompt': 'never',
    },
  });
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
      host.url(workspace, { extensionDevelopmentPath: projectFolder, extensionTestsPath: module }),
    );
    await done;
    await context.close();
  } finally {
    await host.stop();
  }
  const results = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Result[]) : [];
  return { results, output: lines.join('\n') };
}
