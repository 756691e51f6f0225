import { chmodSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const workerFile = fileURLToPath(new URL('../../../server/workspace/diskWorker.cjs', import.meta.url));

/** The worker of `Disk`, in a thread that takes itself for one of Windows. */
const onWindows = `
  Object.defineProperty(process, 'platform', { value: 'win32' });
  require(${JSON.stringify(workerFile)});
`;

describe('a worker for files on Windows', () => {
  let folder: string;
  let worker: Worker;
  const at = (name: string) => join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbatch-windows-'));
    worker = new Worker(onWindows, { eval: true });
  });
  afterEach(async () => {
    await worker.terminate();
    rmSync(folder, { recursive: true, force: true });
  });
  const ask = (operation: string, request: object) =>
    new Promise<{ value?: unknown; error?: unknown }>((resolve) => {
      worker.once('message', resolve);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- This is no window.
      worker.postMessage({ id: 1, operation, request });
    });

  it('takes scripts and programs of Linux for executable, whatever bits a file has', async () => {
    const contents = { script: '#!/bin/sh\n', program: '\x7fELF\x02', text: 'text', empty: '' };
    for (const [name, text] of Object.entries(contents)) writeFileSync(at(name), text, { mode: 0o600 });
    chmodSync(at('text'), 0o700);
    const { value } = await ask('hash', { paths: Object.keys(contents).map(at) });
    expect((value as { executable: boolean }[]).map(({ executable }) => executable)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('gives targets of links slashes, has files take their places, and syncs no folder', async () => {
    symlinkSync('..\\a\\b', at('link'));
    writeFileSync(at('file'), '', { mode: 0o600 });
    expect(await ask('look', { paths: [at('link')] })).toEqual({
      id: 1,
      value: [{ kind: 'link', target: '../a/b' }],
    });
    const before = { kind: 'link', target: '../a/b' };
    expect(await ask('exchange', { from: at('file'), to: at('link'), before })).toEqual({
      id: 1,
      value: true,
    });
    expect(lstatSync(at('link')).isFile()).toBe(true);
    writeFileSync(at('file'), '', { mode: 0o600 });
    expect(await ask('sync', { files: [at('file')], folders: [at('nothing')] })).toEqual({ id: 1 });
  });
});
