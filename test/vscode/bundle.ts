/** Bundles the suites for the extension host. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectFolder } from './host.ts';

/** Path of the module whose run() VS Code calls. */
export async function bundleSuite(): Promise<string> {
  const outfile = join(projectFolder, '.tmp/vscode-tests/suite.cjs');
  await build({
    entryPoints: [join(projectFolder, 'test/vscode/suite/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  return outfile;
}
