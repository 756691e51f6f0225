/**
 * Files of this machine.
 *
 * Small ones are read and written synchronously: a nested call touches a few of them, fresh in the page
 * cache, and sending each through the thread pool costs Node ten times the work itself.
 */
import { constants, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '../replaceFile.ts';
import type { SiteFiles } from './machine.ts';

let written = 0;

export const localFiles: SiteFiles = {
  async read(path) {
    try {
      // Reading a FIFO would wait for its writer.
      return statSync(path).isFile() ? readFileSync(path) : null;
    } catch {
      return null;
    }
  },
  readRange,
  async writeWhole(path, contents, mode) {
    const temporary = `${path}.${process.pid}.${++written}.new`;
    const write = () => writeFileSync(temporary, contents, { mode });
    try {
      write();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      write();
    }
    replaceFile(temporary, path);
  },
  async remove(paths) {
    for (const path of paths) {
      try {
        unlinkSync(path);
      } catch (error) {
        const code = codeOf(error);
        if (code === 'EISDIR' || code === 'EPERM') rmSync(path, { recursive: true, force: true });
        else if (code !== 'ENOENT') throw error;
      }
    }
  },
};

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Bytes in a file; 0 where there is none. */
export async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

/** Up to `length` bytes from `offset`, or null where there is no regular file that can be read. */
export async function readRange(path: string, offset: number, length: number): Promise<Buffer | null> {
  // Opening a FIFO would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (!file) return null;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return null;
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, stats.size - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

/** Removes the files of a folder that nobody has written for `age` milliseconds. */
export async function removeOld(folder: string, age: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > age) await rm(path, { force: true });
  }
}
