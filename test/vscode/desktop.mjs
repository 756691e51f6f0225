// The same suites in a desktop VS Code, which @vscode/test-electron downloads: `npm run test:desktop [VERSION]`.
// Not part of `npm test`: not every machine may download, or has a screen.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
const workspace = join(home, 'workspace');
mkdirSync(join(workspace, '.vscode'), { recursive: true });
const tasks = [{ type: 'vbatch', label: 'seven', command: 'exit 7', problemMatcher: [] }];
writeFileSync(join(workspace, '.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks }));
try {
  process.exitCode = await runTests({
    version: process.argv[2] ?? 'stable',
    extensionDevelopmentPath: root,
    extensionTestsPath: suite,
    extensionTestsEnv: { VBATCH_HOME: join(home, 'state'), VBATCH_CONFIG: join(home, 'config.yaml') },
    launchArgs: [
      workspace,
      '--disable-extensions',
      '--disable-workspace-trust',
      '--user-data-dir',
      join(home, 'user'),
    ],
  });
} finally {
  rmSync(home, { recursive: true, force: true });
}
