/**
 * What runs inside the extension host: all suites of this folder, by mocha. Bundled to CommonJS, which also the oldest
 * VS Code can load. The results go into the file that VBATCH_TEST_REPORT names.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export interface Result {
  readonly title: string;
  readonly error: string | null;
}

/** Called by VS Code, in a window of its own on a folder of its own. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000, reporter: 'min' });
  mocha.suite.emit('pre-require', globalThis, null, mocha);
  await suites[(process.env.VBATCH_TEST_SUITE ?? 'all') as keyof typeof suites]();
  const results: Result[] = [];
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('pass', (test) => results.push({ title: test.fullTitle(), error: null }));
    runner.on('fail', (test, error: Error) =>
      results.push({ title: test.fullTitle(), error: error.stack ?? error.message }),
    );
  });
  const report = process.env.VBATCH_TEST_REPORT;
  if (report !== undefined) writeFileSync(report, JSON.stringify(results));
  if (failures > 0) {
    throw new Error(
      results.flatMap(({ title, error }) => (error === null ? [] : [`${title}\n${error}`])).join('\n'),
    );
  }
}

const suites = {
  all: async () => {
    await import('./activation.ts');
    await import('./manifest.ts');
    await import('./tasks.ts');
    await import('./scripts.ts');
    await import('./logs.ts');
  },
  untrusted: () => import('./untrusted.ts'),
};
