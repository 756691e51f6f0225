// The same suites in a desktop VS Code: `npm run test:desktop [-- VERSION | PATH]`. It is downloaded by
// @vscode/test-electron, unless PATH or the variable VBATCH_CODE names the program of one that is installed.
// Not part of `npm test`: not every machine may download, or has a screen.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');
const wanted = process.argv[2] ?? process.env.VBATCH_CODE ?? 'stable';
const isVersion = /^(stable|insiders|\d+\.\d+\.\d+)$/.test(wanted);
if (!isVersion && !existsSync(wanted)) {
  throw new Error(`${wanted} is neither a version of VS Code nor the path of its program`);
}
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
// Short names: on macOS the path of a socket has at most 103 bytes, and temporary folders have long ones.
const home = mkdtempSync(join(tmpdir(), 'vb-'));
const state = join(home, 's');
const report = join(home, 'report.json');
const workspace = join(home, 'workspace');
mkdirSync(join(workspace, '.vscode'), { recursive: true });
const tasks = [{ type: 'vbatch', label: 'seven', command: 'exit 7', problemMatcher: [] }];
writeFileSync(join(workspace, '.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks }));
try {
  await runTests({
    ...(isVersion ? { version: wanted } : { vscodeExecutablePath: resolve(wanted) }),
    extensionDevelopmentPath: root,
    extensionTestsPath: suite,
    extensionTestsEnv: {
      VBATCH_HOME: state,
      VBATCH_CONFIG: join(home, 'config.yaml'),
      VBATCH_TEST_REPORT: report,
      // Set in the terminals of some editors, it would make this one a Node.
      ELECTRON_RUN_AS_NODE: undefined,
    },
    launchArgs: [
      workspace,
      '--disable-extensions',
      '--disable-workspace-trust',
      '--user-data-dir',
      join(home, 'u'),
    ],
  });
  // VS Code reports success also where its extension host dies, so only what was written down counts.
  if (!existsSync(report)) throw new Error('VS Code ended before the tests did');
  const results = JSON.parse(readFileSync(report, 'utf8'));
  console.log(`${results.length} tests have passed`);
} finally {
  endServer();
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** The server that the tests have started outlives their window. */
function endServer() {
  try {
    process.kill(JSON.parse(readFileSync(join(state, 'server.json'), 'utf8')).pid);
  } catch {
    // None was started.
  }
}
