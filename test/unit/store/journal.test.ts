import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../../server/store/journal.ts';
import type { Timers } from '../../../server/timers.ts';
import { FaultyDisk, record, replayed, systemError, withFolder } from './support.ts';

/** Something to wait for that the test lets happen. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Timers that go off as soon as they are set. */
const hurried: Timers = {
  now: () => 0,
  after(_, action) {
    setImmediate(action);
    return () => {};
  },
};

/** Timers that never go off. */
const stopped: Timers = { now: () => 0, after: () => () => {} };

function setUp(folder: string, timers?: Timers) {
  const disk = new FaultyDisk();
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  const journal = new Journal<unknown>({ folder, last: 0, report, createFile: disk.createFile, timers });
  return { disk, reports, journal };
}

describe('group commit', () => {
  it('writes and syncs once what arrives in one turn of the event loop', async () => {
    await withFolder(async (folder) => {
      const { disk, journal } = setUp(folder);
      const numbers = Array.from({ length: 500 }, (_, i) => journal.append({ i }));
      expect(numbers).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
      await journal.durable(500);
      expect(disk).toMatchObject({ writes: 1, syncs: 1 });
      await journal.close();
    });
  });

  it('writes together what arrives during a sync, and tells each waiter in order once it is safe', async () => {
    await withFolder(async (folder) => {
      const { disk, journal } = setUp(folder);
      const told: number[] = [];
      const syncing = gate();
      const sync = gate();
      disk.beforeSync = async () => {
        syncing.open();
        await sync.opened;
      };
      const waiting = [journal.append('a')].map((n) => journal.durable(n).then(() => told.push(n)));
      await syncing.opened;
      for (const event of ['b', 'c', 'd']) {
        const n = journal.append(event);
        waiting.push(journal.durable(n).then(() => told.push(n)));
      }
      expect(told).toEqual([]);
      disk.beforeSync = () => {
        expect(told).toEqual([1]);
      };
      sync.open();
      await Promise.all(waiting);
      expect(told).toEqual([1, 2, 3, 4]);
      expect(disk).toMatchObject({ writes: 2, syncs: 2 });
      await journal.close();
      expect((await replayed(folder)).events).toEqual(['a', 'b', 'c', 'd']);
    });
  });

  it('takes the event as it is at that moment', async () => {
    await withFolder(async (folder) => {
      const { journal } = setUp(folder);
      const event = { n: 1 };
      journal.append(event);
      event.n = 2;
      await journal.close();
      expect((await replayed(folder)).events).toEqual([{ n: 1 }]);
    });
  });

  it('splits a backlog that is too large for one write', async () => {
    await withFolder(async (folder) => {
      const { disk, journal } = setUp(folder);
      const megabyte = 'x'.repeat(1024 * 1024);
      for (let i = 0; i < 10; i++) journal.append(megabyte);
      await journal.durable(10);
      expect(disk.syncs).toBe(3);
      await journal.close();
      expect((await replayed(folder)).events).toHaveLength(10);
    });
  });

  it('takes no event after it was closed', async () => {
    await withFolder(async (folder) => {
      const { journal } = setUp(folder);
      await journal.close();
      expect(() => journal.append('late')).toThrow(/is closed/);
    });
  });
});

describe('rotate', () => {
  it('puts what is appended from then on into a new file', async () => {
    await withFolder(async (folder) => {
      const { disk, journal } = setUp(folder);
      const syncing = gate();
      const sync = gate();
      disk.beforeSync = async () => {
        syncing.open();
        await sync.opened;
      };
      journal.append('a');
      await syncing.opened;
      journal.append('b');
      const rotated = journal.rotate();
      journal.append('c');
      sync.open();
      await rotated;
      await journal.close();
      expect(await readFile(join(folder, '000000000001.ndjson'), 'utf8')).toMatch(/"a"\]\n.*"b"\]\n$/);
      expect(await readFile(join(folder, '000000000003.ndjson'), 'utf8')).toMatch(/^.*\n.*\[3,"c"\]\n$/);
    });
  });

  it('leaves a file for what comes next, which the next start takes over', async () => {
    await withFolder(async (folder) => {
      const { journal } = setUp(folder);
      await record(journal, ['a']);
      await journal.rotate();
      await journal.close();
      const { last } = await replayed(folder);
      const next = new Journal<unknown>({ folder, last, report: () => {} });
      await record(next, ['b']);
      await next.close();
      expect((await replayed(folder)).events).toEqual(['a', 'b']);
    });
  });
});

describe('a full disk', () => {
  it('is a problem that names the folder; all is written, whole and once, when there is room', async () => {
    await withFolder(async (folder) => {
      const { disk, journal, reports } = setUp(folder, stopped);
      await record(journal, ['a']);
      const before = await readFile(join(folder, '000000000001.ndjson'));
      let calls = 0;
      disk.beforeWrite = (length) => {
        calls += 1;
        if (calls === 1) return Math.ceil(length / 2);
        throw systemError('ENOSPC', 'write');
      };
      journal.append('b');
      const durable = journal.durable(2);
      await expect.poll(() => reports, { interval: 1 }).toHaveLength(1);
      expect(journal.problem).toMatchObject({ code: 'diskFull', message: expect.stringContaining(folder) });
      const path = join(folder, '000000000001.ndjson');
      await expect.poll(() => readFile(path), { interval: 1 }).toEqual(before);

      disk.beforeWrite = (length) => length;
      journal.append('c');
      await durable;
      await journal.durable(3);
      expect(journal.problem).toBeNull();
      expect(reports).toEqual([
        expect.stringContaining('No room'),
        expect.stringContaining('There is room again'),
      ]);
      await journal.close();
      expect((await replayed(folder)).events).toEqual(['a', 'b', 'c']);
    });
  });

  it('is tried again by itself', async () => {
    await withFolder(async (folder) => {
      const { disk, journal } = setUp(folder, hurried);
      let attempts = 0;
      disk.beforeCreate = () => {
        attempts += 1;
        if (attempts < 4) throw systemError('EDQUOT', 'open');
      };
      await record(journal, ['a']);
      expect(attempts).toBe(4);
      await journal.close();
    });
  });

  it('fails what was not acknowledged when the journal is closed meanwhile', async () => {
    await withFolder(async (folder) => {
      const { disk, journal, reports } = setUp(folder, stopped);
      disk.beforeWrite = () => {
        throw systemError('ENOSPC', 'write');
      };
      journal.append('a');
      const outcome = expect(journal.durable(1)).rejects.toMatchObject({ code: 'diskFull' });
      await expect.poll(() => reports, { interval: 1 }).toHaveLength(1);
      await expect(journal.close()).rejects.toMatchObject({
        code: 'diskFull',
        message: expect.stringContaining('not recorded'),
      });
      await outcome;
    });
  });

  it('loses and doubles nothing, whenever it is full and wherever a write stops', async () => {
    const step = fc.record({ burst: fc.integer({ min: 1, max: 5 }), rotate: fc.boolean() });
    const fault = fc.oneof(fc.constant('full'), fc.constant('partly'), fc.constant('well'));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.array(fault), async (steps, faults) => {
        await withFolder(async (folder) => {
          const { disk, journal } = setUp(folder, hurried);
          const ahead = [...faults];
          disk.beforeWrite = (length) => {
            const next = ahead.shift();
            if (next === 'full') throw systemError('ENOSPC', 'write');
            return next === 'partly' ? Math.ceil(length / 3) : length;
          };
          const sent: string[] = [];
          const told: number[] = [];
          for (const { burst, rotate } of steps) {
            for (let i = 0; i < burst; i++) {
              sent.push(`event ${sent.length}`);
              const sequence = journal.append(sent.at(-1));
              void journal.durable(sequence).then(() => told.push(sequence));
            }
            if (rotate) await journal.rotate();
            else await new Promise(setImmediate);
          }
          await journal.durable(journal.sequence);
          await journal.close();
          expect((await replayed(folder)).events).toEqual(sent);
          expect(told).toEqual(sent.map((_, i) => i + 1));
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('a failed disk', () => {
  it.each([
    ['sync', 'EIO'],
    ['sync', 'ENOSPC'],
    ['write', 'EIO'],
  ] as const)('is final: %s with %s', async (call, code) => {
    await withFolder(async (folder) => {
      const { disk, journal } = setUp(folder);
      await record(journal, ['a']);
      const fail = () => {
        throw systemError(code, call);
      };
      if (call === 'sync') disk.beforeSync = fail;
      else disk.beforeWrite = fail;
      journal.append('b');
      const rotated = expect(journal.rotate()).rejects.toMatchObject({ code: 'stateFailed' });
      await expect(journal.durable(2)).rejects.toMatchObject({
        code: 'stateFailed',
        message: expect.stringContaining(folder),
      });
      await rotated;

      disk.beforeSync = () => {};
      disk.beforeWrite = (length) => length;
      expect(() => journal.append('c')).toThrow(/nothing more is recorded/);
      await expect(journal.durable(2)).rejects.toMatchObject({ code: 'stateFailed' });
      await expect(journal.durable(1)).resolves.toBeUndefined();
      expect(journal.problem).toMatchObject({ code: 'stateFailed' });
      await expect(journal.close()).rejects.toMatchObject({ code: 'stateFailed' });
      expect((await replayed(folder)).events[0]).toBe('a');
    });
  });

  it('is a failure too when the folder is gone', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'file');
      await writeFile(file, '');
      const journal = new Journal<string>({ folder: file, last: 0, report: () => {} });
      journal.append('a');
      await expect(journal.durable(1)).rejects.toMatchObject({ code: 'stateFailed' });
    });
  });
});
