/**
 * Writing to FIFOs that someone may or may not read. Node's own streams open a FIFO in a thread of
 * the pool, which hangs there until a reader comes; these functions never wait for one.
 */
import { constants, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a FIFO that is full is tried again: at first, and at most. Milliseconds. */
const shortestPause = 1;
const longestPause = 50;

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** A descriptor to write with, or null where nobody reads or there is no FIFO. */
export function openToWrite(path: string): number | null {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENXIO' || codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Writes all bytes, as fast as they are read. `written` is told of each piece once the reader is sure
 * to get it. Resolves with false where nobody reads any more.
 */
export async function writeAll(
  descriptor: number,
  bytes: Uint8Array,
  written: (count: number) => void,
): Promise<boolean> {
  let at = 0;
  let pause = shortestPause;
  while (at < bytes.length) {
    try {
      const count = writeSync(descriptor, bytes, at);
      written(count);
      at += count;
      pause = shortestPause;
    } catch (error) {
      if (codeOf(error) === 'EPIPE') return false;
      if (codeOf(error) !== 'EAGAIN') throw error;
      await sleep(pause);
      pause = Math.min(pause * 2, longestPause);
    }
  }
  return true;
}
