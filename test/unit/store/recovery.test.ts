import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../../server/store/journal.ts';
import { encodeLine } from '../../../server/store/lines.ts';
import { dropSegments } from '../../../server/store/recovery.ts';
import { record, replayed, withFolder } from './support.ts';

const events = [
  { type: 'plain', n: 1 },
  { type: 'text', text: 'two\nlines "quoted" \\ ü 💡' },
  { type: 'bytes', text: 'not UTF-8: \udc80\udcff' },
  { type: 'empty', list: [], nothing: null },
  { type: 'last', n: 0.5 },
];

function open(folder: string, last = 0): Journal<unknown> {
  return new Journal({ folder, last, report: () => {} });
}

/** Writes the events as one segment for each list. Returns the paths of the segments. */
async function written(folder: string, ...segments: (readonly unknown[])[]): Promise<string[]> {
  const journal = open(folder);
  const paths: string[] = [];
  for (const [i, list] of segments.entries()) {
    if (i > 0) await journal.rotate();
    paths.push(join(folder, `${String(journal.sequence + 1).padStart(12, '0')}.ndjson`));
    await record(journal, list);
  }
  await journal.close();
  return paths;
}

describe('readJournal', () => {
  it('gives back every event as it was, in order, with its sequence', async () => {
    await withFolder(async (folder) => {
      await written(folder, events, events, events);
      const found = await replayed(folder);
      expect(found.events).toEqual([...events, ...events, ...events]);
      expect(found.sequences).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
      expect(found.last).toBe(15);
      expect(found.reports).toEqual([]);
    });
  });

  it('begins after any sequence, whatever segment that is in', async () => {
    await withFolder(async (folder) => {
      await written(folder, events, events, []);
      for (let after = 0; after <= 10; after++) {
        const found = await replayed(folder, after);
        expect(found.events).toEqual([...events, ...events].slice(after));
        expect(found.last).toBe(10);
      }
    });
  });

  it('takes an empty folder for an empty journal', async () => {
    await withFolder(async (folder) => {
      expect(await replayed(folder, 7)).toMatchObject({ events: [], last: 7, bytes: 0 });
    });
  });

  it('reads events far longer than what it reads at once', async () => {
    await withFolder(async (folder) => {
      const long = ['x'.repeat(3_000_000), 'short', 'ü'.repeat(1_200_000), 'y'.repeat(1_048_576 - 20)];
      await written(folder, long);
      expect((await replayed(folder)).events).toEqual(long);
    });
  });

  it('recovers exactly the whole events from a journal cut at every byte, and goes on from there', async () => {
    await withFolder(async (folder) => {
      const [path = ''] = await written(folder, events);
      const whole = await readFile(path);
      const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1);
      for (let cut = 0; cut < whole.length; cut++) {
        await writeFile(path, whole.subarray(0, cut));
        const complete = ends.filter((end) => end <= cut);
        const found = await replayed(folder);
        expect(found.events).toEqual(events.slice(0, Math.max(0, complete.length - 1)));
        const torn = cut - (complete.at(-1) ?? 0);
        expect(found.reports).toHaveLength(torn > 0 ? 1 : 0);
        if (torn > 0) expect(found.reports[0]).toContain(`${torn} bytes`);
        expect((await stat(path)).size).toBe(cut - torn);

        const journal = open(folder, found.last);
        await record(journal, ['after']);
        await journal.close();
        const again = await replayed(folder);
        expect(again.events).toEqual([...found.events, 'after']);
        expect(again.reports).toEqual([]);
        if (found.last > 0) await rm(join(folder, `${String(found.last + 1).padStart(12, '0')}.ndjson`));
      }
    });
  });

  it('refuses a journal with any bit of a middle line flipped, and leaves it as it is', async () => {
    await withFolder(async (folder) => {
      const [path = ''] = await written(folder, ['first', { middle: 'ü' }, 'last']);
      const whole = await readFile(path);
      const start = whole.indexOf('\n', whole.indexOf('\n') + 1) + 1;
      const end = whole.indexOf('\n', start) + 1;
      expect(whole.subarray(start, end).toString()).toContain('middle');
      for (let at = start; at < end; at++) {
        for (let bit = 1; bit < 256; bit *= 2) {
          const damaged = Buffer.from(whole);
          damaged[at] = (damaged[at] ?? 0) ^ bit;
          await writeFile(path, damaged);
          await expect(replayed(folder)).rejects.toMatchObject({
            code: 'stateFailed',
            message: expect.stringContaining(`${path} is damaged: line 3 (byte ${start}) does not match`),
          });
          expect(await readFile(path)).toEqual(damaged);
        }
      }
    });
  });

  it('refuses a last line that is complete but does not match: it may have been acknowledged', async () => {
    await withFolder(async (folder) => {
      const [path = ''] = await written(folder, ['first', 'last']);
      const whole = await readFile(path, 'latin1');
      await writeFile(path, whole.replace('last', 'lost'));
      await expect(replayed(folder)).rejects.toThrow(/line 3 .* does not match/);
    });
  });

  it('gives advice that works: cut at the damage, the events before it are back', async () => {
    await withFolder(async (folder) => {
      const [first = '', second = ''] = await written(folder, ['a', 'b', 'c'], ['d']);
      const whole = await readFile(first, 'latin1');
      await writeFile(first, whole.replace('"b"', '"x"'));
      const failure = await replayed(folder).then(
        () => '',
        (error: Error) => error.message,
      );
      const [, bytes] = /run "truncate -s (\d+) .*" and remove the later files/.exec(failure) ?? [];
      await writeFile(first, whole.slice(0, Number(bytes)));
      await rm(second);
      expect((await replayed(folder)).events).toEqual(['a']);
    });
  });

  it('refuses an incomplete line where another segment follows', async () => {
    await withFolder(async (folder) => {
      const [path = ''] = await written(folder, ['a', 'b'], ['c']);
      await writeFile(path, (await readFile(path)).subarray(0, -1));
      await expect(replayed(folder)).rejects.toThrow(/line 3 .* breaks off/);
    });
  });

  it('refuses a missing segment and says which events it held', async () => {
    await withFolder(async (folder) => {
      const [, second = ''] = await written(folder, ['a', 'b'], ['c', 'd'], ['e']);
      await rm(second);
      await expect(replayed(folder)).rejects.toThrow(/lacks the events 3 to 4/);
    });
  });

  it('refuses a journal that begins after the snapshot or ends before it', async () => {
    await withFolder(async (folder) => {
      const [first = ''] = await written(folder, ['a', 'b'], ['c', 'd']);
      await rm(first);
      await expect(replayed(folder, 1)).rejects.toThrow(/lacks the events 2 to 2/);
      await expect(replayed(folder, 5)).rejects.toThrow(/ends with event 4, .* taken at event 5/);
      expect((await replayed(folder, 2)).events).toEqual(['c', 'd']);
    });
  });

  it('refuses an event that is repeated, left out or out of place', async () => {
    await withFolder(async (folder) => {
      const [path = ''] = await written(folder, ['a', 'b', 'c']);
      const [header = '', a = '', b = '', c = ''] = (await readFile(path, 'latin1')).split('\n');
      for (const lines of [
        [header, a, a, b, c],
        [header, a, c],
        [header, b, a, c],
      ]) {
        await writeFile(path, `${lines.join('\n')}\n`);
        await expect(replayed(folder)).rejects.toThrow(/holds event \d where event \d belongs/);
      }
    });
  });

  it('refuses the format of a newer version, and a file that is none of ours', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, '000000000001.ndjson');
      await writeFile(path, encodeLine('{"vbatch":"journal","format":2}'));
      await expect(replayed(folder)).rejects.toThrow(/format 2, .* up to 1: .*Install that version/);
      await writeFile(path, encodeLine('{"vbatch":"snapshot","format":1}'));
      await expect(replayed(folder)).rejects.toThrow(/does not make it a journal/);
    });
  });
});

describe('dropSegments', () => {
  it('removes what holds no event after the sequence, and never the newest', async () => {
    await withFolder(async (folder) => {
      await written(folder, ['a', 'b'], ['c', 'd'], []);
      await dropSegments(folder, 1);
      expect((await replayed(folder)).events).toEqual(['a', 'b', 'c', 'd']);
      await dropSegments(folder, 3);
      expect((await replayed(folder, 2)).events).toEqual(['c', 'd']);
      await dropSegments(folder, 4);
      expect((await replayed(folder, 4)).last).toBe(4);
    });
  });
});
