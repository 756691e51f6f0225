/** Measures the extension in the newest VS Code: `npm run bench:vscode`. */
import { expect, it } from 'vitest';
import { bundleSuite } from './bundle.ts';
import { startBrowser } from './host.ts';
import { runSuite } from './inHost.ts';

it('the tree of a large run', async () => {
  const [browser, module] = await Promise.all([startBrowser(), bundleSuite()]);
  const seconds = process.env.VBATCH_BENCH_SECONDS ?? '30';
  const { output, results } = await runSuite(browser, {
    name: 'latest',
    suite: 'bench',
    module,
    env: { VBATCH_BENCH_SECONDS: seconds },
  });
  await browser.close();
  expect(
    results.map(({ error }) => error),
    output,
  ).toEqual([null]);
  console.log(/FIGURES .*/.exec(output)?.[0]);
});
