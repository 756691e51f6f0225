// The same suites in a desktop VS Code, which @vscode/test-electron downloads: `npm run test:desktop [VERSION]`.
// Not part of `npm test`: not every machine may download, or has a screen.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');
const suite = join(root, '.tmp/vscode-tests/suite.cjs');
await build({
  entryPoints: [join(root, 'test/vscode/suite/index.ts')],
  outfile: suite,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode', 'mocha'],
});
const home = mkdtempSync(join(tmpdir(), 'vbatch-desktop-'));
try {
  process.exitCode = await runTests({
    version: process.argv[2] ?? 'stable',
    extensionDevelopmentPath: root,
    extensionTestsPath: suite,
    extensionTestsEnv: { VBATCH_HOME: join(home, 'state'), VBATCH_CONFIG: join(home, 'config.yaml') },
    launchArgs: [
      home,
      '--disable-extensions',
      '--disable-workspace-trust',
      '--user-data-dir',
      join(home, 'user'),
    ],
  });
} finally {
  rmSync(home, { recursive: true, force: true });
}
