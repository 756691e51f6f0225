import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const deadlineMs = 20_000;
const pauseMs = 50;

/**
 * Removes a folder in which processes that have been killed may still write for a moment. What they write after the
 * folder was listed has to be listed again, which `maxRetries` of `rm` does not do.
 */
export async function removeFolder(folder: string): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      await rm(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || Date.now() > deadline) throw error;
      await sleep(pauseMs);
    }
  }
}
