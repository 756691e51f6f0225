import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handOver, shimFolder } from '../../../cli/shim.ts';

let folder = '';

/** Stands for the shim: writes its arguments, NUL-separated, beside itself, and ends as the first says. */
const fakeShim = `#!/bin/sh
printf '%s\\0' "$@" > "$(dirname "$0")/arguments"
case $1 in
  signal) kill -TERM $$ ;;
  *) exit "$1" ;;
esac
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vbatch-shim-'));
  writeFileSync(join(folder, 'vbatch'), fakeShim);
  chmodSync(join(folder, 'vbatch'), 0o755);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function received(): string {
  return readFileSync(join(folder, 'arguments'), 'latin1');
}

describe('inside a task', () => {
  it('the shim is known by VBATCH_SHIM_DIR', () => {
    expect(shimFolder({ VBATCH_SHIM_DIR: '/x' })).toBe('/x');
    expect(shimFolder({})).toBeNull();
  });

  it('a call is handed over with its arguments, and ends as the shim does', async () => {
    expect(await handOver(folder, 'vbatch', ['7', '', "it's\n", 'ü', '--help'])).toBe(7);
    expect(Buffer.from(received(), 'latin1').toString()).toBe("7\0\0it's\n\0ü\0--help\0");
    expect(await handOver(folder, 'vbatch', ['signal'])).toBe(143);
  });

  it('bytes that are not UTF-8 arrive as they are', async () => {
    const bytes = Array.from({ length: 255 }, (_, at) => at + 1);
    const text = bytes.map((byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join('');
    expect(await handOver(folder, 'vbatch', ['3', text, ''])).toBe(3);
    expect(received()).toBe(`3\0${String.fromCharCode(...bytes)}\0\0`);
  });

  it('a shim that is gone is a clear error', async () => {
    await expect(handOver(join(folder, 'absent'), 'vbatch', ['true'])).rejects.toThrow(
      /cannot run .*absent\/vbatch/,
    );
  });
});
