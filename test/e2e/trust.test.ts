/** A workspace may be anybody's: what its configuration would run is not run for whoever comes by. */
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(() => sandbox.remove());

it.skipIf(process.platform === 'win32')('obeys no configuration that others can write to', async () => {
  const file = sandbox.write('.vbatch/config.yaml', `pools: { shell: { setup: 'touch ran' } }`);
  chmodSync(file, 0o666);
  expect(await sandbox.shell('vbatch --wait true')).toEqual({
    code: 1,
    signal: null,
    stdout: '',
    stderr:
      `vbatch: the configuration file ${file} is not obeyed, because commands in it run as you, and ` +
      `it can be changed by everybody: forbid it with "chmod o-w", or remove it\n`,
  });
  expect(() => sandbox.read('ran')).toThrow('ENOENT');
  chmodSync(file, 0o644);
  expect((await sandbox.shell('vbatch -q --wait true')).code).toBe(0);
  expect(sandbox.read('ran')).toBe('');
});
