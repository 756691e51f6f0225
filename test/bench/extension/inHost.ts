/** A window of the newest VS Code in which a module of ours runs beside the extension. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { projectFolder, sealedContext, startBrowser, startHost } from '../../vscode/host.ts';
import type { Bench } from '../bench.ts';

export interface BenchWindow<Prepared> {
  readonly prepared: Prepared;
  readonly page: Page;
  /** The folder that it shows. */
  readonly workspace: string;
  /** The file that VBATCH_BENCH_REPORT names to the module. */
  readonly report: string;
  close(): Promise<void>;
}

/**
 * @param entry the module that VS Code is told to run, as a path in the project
 * @param prepare what is to be there before the window is; given the state folder of the window's server
 */
export async function openWindow<Prepared>(
  bench: Bench,
  entry: string,
  prepare: (state: string) => Promise<Prepared>,
): Promise<BenchWindow<Prepared>> {
  const folder = bench.folder(bench.disk);
  const [workspace, report, module] = ['workspace', 'report', 'module.cjs'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  mkdirSync(workspace);
  writeFileSync(report, '');
  const host = await startHost({ name: 'latest', env: { VBATCH_BENCH_REPORT: report } });
  bench.atEnd(() => void host.stop());
  const browser = await startBrowser();
  const prepared = await prepare(host.state);
  await build({
    entryPoints: [join(projectFolder, entry)],
    outfile: module,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['vscode'],
  });
  const page = await (await sealedContext(browser)).newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(
    host.url(workspace, { extensionDevelopmentPath: projectFolder, extensionTestsPath: module }),
  );
  return {
    prepared,
    page,
    workspace,
    report,
    async close() {
      await browser.close();
      await host.stop();
    },
  };
}
