// Makes the .vsix out of what `npm run build` has left in dist/: `npm run package`. No dependency goes along, all of
// them are in the bundles, and no native module: one file serves every platform.
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createVSIX } from '@vscode/vsce';

/** Largest that the file may become, in bytes. */
const budget = 5 * 1024 * 1024;

const { name, version } = JSON.parse(await readFile('package.json', 'utf8'));
const packagePath = process.argv[2] ?? `${name}-${version}.vsix`;
await createVSIX({
  packagePath,
  dependencies: false,
  readmePath: 'extension/README.md',
  allowMissingRepository: true,
  rewriteRelativeLinks: false,
});
const { size } = statSync(packagePath);
console.log(`${packagePath}: ${(size / 1024 / 1024).toFixed(1)} MB`);
if (size > budget) {
  console.error('that is more than 5 MB');
  process.exit(1);
}
