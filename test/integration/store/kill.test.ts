import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../server/store/store.ts';
import { withCopy, withFolder } from '../../unit/store/support.ts';
import { formAfter, Progress } from './progress.ts';
import { buildPuppet, Puppet } from './puppets.ts';

it('keeps every acknowledged event through 20 kills at random moments, in order, without a gap', async () => {
  await withFolder(async (folder) => {
    const script = await buildPuppet(folder);
    const home = join(folder, 'state');
    let acknowledged = 0;
    for (let round = 0; round < 20; round++) {
      const puppet = new Puppet(script, 'append', home);
      try {
        const goal = acknowledged + 1 + Math.floor(Math.random() * 1500);
        for (let line = await puppet.hear(); line !== null; line = await puppet.hear()) {
          // What it reports, such as an event that the kill before cut off, is no number.
          if (/^\d+$/.test(line)) acknowledged = Math.max(acknowledged, Number(line));
          if (acknowledged >= goal) puppet.signal('SIGKILL');
        }
      } finally {
        await puppet.kill();
      }
      // The next process has to cope with what this one left, so only a copy is looked at.
      await withCopy(home, async (copy) => {
        const state = new Progress();
        const store = await openStore({ folder: copy, contents: state, report: () => {} });
        expect(state.steps).toBeGreaterThanOrEqual(acknowledged);
        expect(store.sequence).toBe(state.steps);
        expect(state.form).toEqual(formAfter(state.steps));
        await store.close();
      });
    }
    expect(await readdir(join(home, 'snapshots'))).toHaveLength(2);
  });
});
