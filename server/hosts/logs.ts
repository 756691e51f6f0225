/** Reading what attempts have printed: plain files, grown by the attempts themselves. */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

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
