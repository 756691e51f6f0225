// Bundles everything that runs outside the tests into dist/. `node esbuild.mjs`

import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('dist', { recursive: true, force: true });

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { __VBATCH_VERSION__: JSON.stringify(version), 'import.meta.url': 'bundleUrl' },
  legalComments: 'none',
  logLevel: 'warning',
};

await Promise.all([
  build({
    ...shared,
    entryPoints: {
      server: 'server/main.ts',
      keyWorker: 'server/ssh/keyWorker.cjs',
      diskWorker: 'server/workspace/diskWorker.cjs',
    },
    outdir: 'dist',
    sourcemap: true,
    // ssh2 goes without these native helpers where they are not found.
    external: ['cpu-features', '*.node'],
    // The scripts of the host's side are read from beside the bundle.
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  }),
  // Small and minified: what is typed in a terminal must start at once.
  build({
    ...shared,
    entryPoints: { vbatch: 'cli/vbatch.ts', vrun: 'cli/vrun.ts', vctl: 'cli/vctl.ts' },
    outdir: 'dist/cli',
    minify: true,
    banner: { js: '#!/usr/bin/env node' },
  }),
  build({
    ...shared,
    entryPoints: { extension: 'extension/extension.ts' },
    outdir: 'dist',
    minify: true,
    sourcemap: true,
    // VS Code's own, and speed-ups that ws goes without.
    external: ['vscode', 'bufferutil', 'utf-8-validate'],
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  }),
  build({
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    legalComments: 'none',
    logLevel: 'warning',
    entryPoints: ['webview/page.ts', 'webview/page.css', 'webview/layout/layoutWorker.ts'],
    entryNames: '[name]',
    outdir: 'dist/webview',
  }),
]);

for (const file of ['page.html', 'icon.svg']) cpSync(`webview/${file}`, `dist/webview/${file}`);

// What VS Code's terminals find on PATH (extension/terminal).
mkdirSync('dist/bin');
for (const program of ['vbatch', 'vrun', 'vctl']) {
  chmodSync(`dist/cli/${program}.cjs`, 0o755);
  cpSync('extension/bin/program.sh', `dist/bin/${program}`);
  chmodSync(`dist/bin/${program}`, 0o755);
  cpSync('extension/bin/program.cmd', `dist/bin/${program}.cmd`);
}
for (const script of readdirSync('server/hosts/agent').filter((name) => name.endsWith('.sh'))) {
  cpSync(`server/hosts/agent/${script}`, `dist/${script}`);
}
