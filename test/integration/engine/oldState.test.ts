/** State folders of every format that was ever released load for ever. A new format adds a folder here. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Contents } from '../../../server/engine/contents.ts';
import { statusOf } from '../../../server/model/outcome.ts';
import { openStore } from '../../../server/store/store.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/state');

describe('old state', () => {
  it('of tasks-1 gives the same tasks, from its snapshot and its journal', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vb-old-'));
    try {
      await cp(join(fixtures, 'tasks-1'), folder, { recursive: true });
      const contents = new Contents(0);
      const reports: string[] = [];
      const store = await openStore({ folder, contents, report: (message) => reports.push(message) });
      const seen = [...contents.state.tasks.values()].map((task) => {
        const name = task.id.replace(/-[0-9a-z]{5}/, '');
        return [name, statusOf(task), task.attempts.length, task.held];
      });
      expect(seen).toEqual([
        ['pipeline', 'FAILURE', 1, false],
        ['pipeline/ok', 'SUCCESS', 1, false],
        ['pipeline/bad', 'FAILURE', 2, false],
        ['pipeline/after', 'FAILED_UPSTREAM', 0, false],
        ['pipeline/spare', 'SUCCESS', 1, false],
        ['pipeline/typo', 'FAILED_UPSTREAM', 0, false],
        ['pipeline/fan', 'SUCCESS', 0, false],
        ['pipeline/fan/0', 'SUCCESS', 1, false],
        ['pipeline/fan/1', 'SUCCESS', 1, false],
        ['pipeline/fan/2', 'SUCCESS', 1, false],
        ['later', 'PENDING', 0, true],
        ['slow', 'RUNNING', 1, false],
      ]);
      expect(contents.state.live.size).toBe(2);
      expect(reports).toEqual([]);
      await store.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
