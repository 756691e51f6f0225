/** Measures logs in the newest VS Code: `npm run bench:vscode`. */
import { expect, it } from 'vitest';
import { bundleSuite } from './bundle.ts';
import { startBrowser } from './host.ts';
import { runSuite } from './inHost.ts';

it('a log of two gigabytes', async () => {
  const [browser, module] = await Promise.all([startBrowser(), bundleSuite()]);
  const { output, results } = await runSuite(browser, { name: 'latest', suite: 'logsBench', module });
  await browser.close();
  expect(
    results.map(({ error }) => error),
    output,
  ).toEqual([null]);
  console.log(/FIGURES .*/.exec(output)?.[0]);
});
