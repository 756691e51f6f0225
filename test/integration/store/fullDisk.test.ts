import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../server/store/store.ts';
import { withFolder } from '../../unit/store/support.ts';
import { formAfter, Progress } from './progress.ts';

const SIZE = 4 * 1024 * 1024;

/** Why no small disk could be mounted here, or null. */
function mount(folder: string): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount one';
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return String(error);
  }
}

it('a disk that is really full loses nothing, and all is written when there is room', async (context) => {
  await withFolder(async (folder) => {
    const obstacle = mount(folder);
    if (obstacle !== null) {
      console.warn(`NOT TESTED: a really full disk (${obstacle})`);
      return context.skip(obstacle);
    }
    try {
      const ballast = join(folder, 'ballast');
      await writeFile(ballast, Buffer.alloc(SIZE - 512 * 1024));
      const home = join(folder, 'state');
      const reports: string[] = [];
      const state = new Progress();
      const report = (message: string) => void reports.push(message);
      const store = await openStore({ folder: home, contents: state, report });
      state.beforeChange = (key) => store.beforeChange(key);
      const waiting: Promise<void>[] = [];
      const append = () => {
        const event = state.nextEvent();
        waiting.push(store.durable(store.append(event)));
        state.replay(event);
      };
      while (store.problem === null) {
        for (let i = 0; i < 100; i++) append();
        await new Promise(setImmediate);
      }
      expect(store.problem).toMatchObject({ code: 'diskFull', message: expect.stringContaining(home) });
      for (let i = 0; i < 100; i++) append();
      let pending = waiting.length;
      for (const each of waiting) void each.then(() => (pending -= 1));
      await new Promise(setImmediate);
      expect(pending).toBeGreaterThanOrEqual(100);

      await rm(ballast);
      await Promise.all(waiting);
      expect(store.problem).toBeNull();
      expect(reports).toEqual([
        expect.stringContaining('No room'),
        expect.stringContaining('nothing was lost'),
      ]);
      await store.close();
      const found = new Progress();
      await (await openStore({ folder: home, contents: found, report })).close();
      expect(found.steps).toBe(waiting.length);
      expect(found.form).toEqual(formAfter(waiting.length));
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});
