import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../server/store/store.ts';
import { type Change, contentsOf, Numbers, withCopy, withFolder } from './support.ts';

interface Opened {
  state: Numbers;
  store: Store<Change, string>;
  reports: string[];
  change(key: string, value: number | null): Promise<void>;
}

async function open(folder: string, compactAfter?: number): Promise<Opened> {
  const state = new Numbers();
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  const store = await openStore({ folder, contents: state, report, compactAfter });
  state.beforeChange = (key) => store.beforeChange(key);
  const change = (key: string, value: number | null) => {
    const event = { key, value };
    const sequence = store.append(event);
    state.apply(event);
    return store.durable(sequence);
  };
  return { state, store, reports, change };
}

/** What a server would find that started now. */
async function formIn(folder: string) {
  const { state, store, reports } = await open(folder);
  await store.close();
  expect(reports).toEqual([]);
  return state.form;
}

/** As `formIn`, of a copy: what a server would find if this one were killed now. */
async function formAfterKill(folder: string) {
  return await withCopy(folder, formIn);
}

describe('Store', () => {
  it('brings back the state after a close and after a kill, again and again', async () => {
    await withFolder(async (folder) => {
      const expected: Record<string, number> = {};
      for (let round = 1; round <= 4; round++) {
        const { store, state, change } = await open(folder);
        expect(state.form.values).toEqual(expected);
        expect(store.sequence).toBe((round - 1) * 2);
        for (const key of [`first ${round}`, `second ${round}`]) {
          await change(key, round);
          expected[key] = round;
        }
        expect(await formAfterKill(folder)).toEqual({ changes: round * 2, values: expected });
        await store.close();
      }
    });
  });

  it('leaves a snapshot and nothing to replay when it is closed', async () => {
    await withFolder(async (folder) => {
      const { store, change } = await open(folder);
      await change('a', 1);
      await store.close();
      expect(Object.keys(await contentsOf(folder)).sort()).toEqual([
        'journal/000000000001.ndjson',
        'journal/000000000002.ndjson',
        'snapshots/000000000001.ndjson',
      ]);
      const before = await contentsOf(folder);
      await (await open(folder)).store.close();
      expect(await contentsOf(folder)).toEqual(before);
    });
  });

  it('makes files that only their owner can read', async () => {
    await withFolder(async (parent) => {
      const folder = join(parent, 'deep', 'state');
      const { store, change } = await open(folder);
      await change('a', 1);
      await store.compact();
      for (const entry of await readdir(parent, { recursive: true, withFileTypes: true })) {
        const { mode } = await stat(join(entry.parentPath, entry.name));
        if (entry.isDirectory()) expect(mode & 0o777).toBe(0o700);
        if (entry.isFile()) expect(mode & 0o777).toBe(0o600);
      }
      await store.close();
    });
  });

  it('lets one server in at a time, and the next one after it has closed or could not open', async () => {
    await withFolder(async (folder) => {
      const first = await open(folder);
      await expect(open(folder)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining(`process ${process.pid}`),
      });
      await first.change('a', 1);
      await first.store.close();
      const snapshot = join(folder, 'snapshots', '000000000001.ndjson');
      const whole = await readFile(snapshot);
      await writeFile(snapshot, 'damaged');
      await expect(open(folder)).rejects.toMatchObject({ code: 'stateFailed' });
      await writeFile(snapshot, whole);
      expect(await formIn(folder)).toEqual({ changes: 1, values: { a: 1 } });
    });
  });

  it('reports an event that a kill left incomplete', async () => {
    await withFolder(async (folder) => {
      const { store, change } = await open(folder);
      await change('a', 1);
      await withCopy(folder, async (copy) => {
        const path = join(copy, 'journal', '000000000001.ndjson');
        await writeFile(path, '0123', { flag: 'a' });
        const next = await open(copy);
        expect(next.state.form.values).toEqual({ a: 1 });
        expect(next.reports).toEqual([expect.stringContaining(`4 bytes of an incomplete event`)]);
        await next.store.close();
      });
      await store.close();
    });
  });

  it('says so where the folder cannot be used', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'file');
      await writeFile(file, '');
      await expect(open(join(file, 'state'))).rejects.toMatchObject({
        code: 'stateFailed',
        message: expect.stringContaining('set VBATCH_HOME'),
      });
    });
  });
});

describe('compaction', () => {
  it('happens by itself when the journal has grown, and frees what nothing needs', async () => {
    await withFolder(async (folder) => {
      const { store, change, reports, state } = await open(folder, 2000);
      for (let i = 0; i < 400; i++) await change(`key ${i % 7}`, i);
      expect(await formAfterKill(folder)).toEqual(state.form);
      const bytes = Object.values(await contentsOf(folder)).join('').length;
      expect(bytes).toBeLessThan(10_000);
      await store.close();
      expect(reports).toEqual([]);
    });
  });

  it('waits for the journal to outgrow the last snapshot', async () => {
    await withFolder(async (folder) => {
      const { store, change } = await open(folder, 100);
      const name = 'x'.repeat(5000);
      await change(name, 0);
      await expect.poll(() => readdir(join(folder, 'snapshots'))).toEqual(['000000000001.ndjson']);
      for (let i = 0; i < 20; i++) await change('a', i);
      await new Promise(setImmediate);
      expect(await readdir(join(folder, 'snapshots'))).toEqual(['000000000001.ndjson']);
      await change(name, 1);
      await expect.poll(() => readdir(join(folder, 'snapshots'))).toHaveLength(2);
      await store.close();
    });
  });

  it('holds exactly the state of its moment while events go on, at every prefix', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ key, value: fc.option(fc.nat(9)) }) },
      { weight: 1, arbitrary: fc.constant('compact' as const) },
      { weight: 2, arbitrary: fc.constant('turn' as const) },
      { weight: 1, arbitrary: fc.constant('kill' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        await withFolder(async (folder) => {
          const { state, store, change, reports } = await open(folder);
          let durable: Promise<void> = Promise.resolve();
          const compactions: Promise<void>[] = [];
          for (const each of steps) {
            if (each === 'compact') compactions.push(store.compact());
            else if (each === 'turn') await new Promise(setImmediate);
            else if (each === 'kill') {
              await durable;
              // Copied in several steps: no compaction may take files away meanwhile.
              await Promise.all(compactions);
              expect(await formAfterKill(folder)).toEqual(state.form);
            } else durable = change(each.key, each.value);
          }
          await Promise.all(compactions);
          await durable;
          expect(await formAfterKill(folder)).toEqual(state.form);
          await store.close();
          expect(await formIn(folder)).toEqual(state.form);
          expect(reports).toEqual([]);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('that fails costs nothing: it is reported, tried again later, and the journal has it all', async () => {
    await withFolder(async (folder) => {
      const { state, store, change, reports } = await open(folder, 500);
      const snapshots = join(folder, 'snapshots');
      await rename(snapshots, `${snapshots}.away`);
      for (let i = 0; i < 15; i++) await change('a', i);
      await expect.poll(() => reports).toEqual([expect.stringContaining('Writing a snapshot')]);
      await mkdir(snapshots);
      expect(await formAfterKill(folder)).toEqual(state.form);
      for (let i = 0; i < 15; i++) await change('b', i);
      await expect.poll(() => readdir(snapshots)).toHaveLength(1);
      await store.close();
      expect(reports).toHaveLength(1);
      expect(await formIn(folder)).toEqual(state.form);
    });
  });
});

describe('a damaged snapshot', () => {
  /** Three snapshots' worth of changes, and two more events after the last. Returns their form. */
  async function filled(folder: string, snapshots: number) {
    const { state, store, change } = await open(folder);
    for (let i = 0; i < snapshots; i++) {
      await change(`key ${i}`, i);
      await change('both', i);
      await store.compact();
    }
    await change('both', 99);
    await store.durable(store.sequence);
    const { form } = state;
    return { form, store };
  }

  async function damage(path: string): Promise<void> {
    const whole = await readFile(path, 'latin1');
    await writeFile(path, whole.replace('"both"', '"bath"'), 'latin1');
  }

  async function failure(folder: string): Promise<string> {
    return await open(folder).then(
      () => 'opened',
      (error: Error) => error.message,
    );
  }

  it.each([1, 2, 3])('loses nothing: the advice works, after %i snapshots', async (count) => {
    await withFolder(async (folder) => {
      const { form, store } = await filled(folder, count);
      await withCopy(folder, async (copy) => {
        const names = await readdir(join(copy, 'snapshots'));
        const newest = join(copy, 'snapshots', names.at(-1) ?? '');
        await damage(newest);
        const before = await contentsOf(copy);
        const message = await failure(copy);
        expect(message).toContain(`${newest} is damaged: line `);
        expect(message).toContain('move the damaged file away and start again');
        if (count > 1)
          expect(message).toContain(`last good one is ${join(copy, 'snapshots', names[0] ?? '')}`);
        expect(await contentsOf(copy)).toEqual(before);
        await rename(newest, `${newest}.damaged`);
        expect(await formIn(copy)).toEqual(form);
      });
      await store.close();
    });
  });

  it('is never taken for an empty state: without another good one only a backup helps', async () => {
    await withFolder(async (folder) => {
      const { store } = await filled(folder, 3);
      await store.close();
      for (const name of await readdir(join(folder, 'snapshots')))
        await damage(join(folder, 'snapshots', name));
      expect(await failure(folder)).toContain('restore the state folder from a backup');
      for (const name of await readdir(join(folder, 'snapshots'))) await rm(join(folder, 'snapshots', name));
      expect(await failure(folder)).toMatch(/lacks the events 1 to \d/);
    });
  });

  it('that cannot be read is not called damaged', async () => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, 'snapshots', '000000000007.ndjson'), { recursive: true });
      expect(await failure(folder)).toMatch(/^Opening the state folder .* EISDIR/);
    });
  });
});

describe('state files of format 1', () => {
  it('are read for ever', async () => {
    await withFolder(async (parent) => {
      const folder = join(parent, 'state');
      await cp(join(import.meta.dirname, '../../fixtures/state/format-1'), folder, { recursive: true });
      const form = {
        changes: 7,
        values: { plain: -1, 'ünï 💡': 2.5, 'not UTF-8 \udc80\udcff': 3, 'since "then"\n': 5 },
      };
      expect(await formAfterKill(folder)).toEqual(form);
      await rm(join(folder, 'snapshots', '000000000005.ndjson'));
      expect(await formAfterKill(folder)).toEqual(form);
    });
  });
});
