import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DamagedFile, encodeLine } from '../../../server/store/lines.ts';
import { readSnapshot, type Snapshot, SnapshotFolder } from '../../../server/store/snapshot.ts';
import { withFolder } from './support.ts';

const records = ['{"key":"a"}', '"not UTF-8: \\udc80"', '[1,2,"ü 💡"]'];

function snapshot(sequence: number, texts: readonly string[] = records): Snapshot {
  return { sequence, header: { made: sequence }, count: texts.length, records: texts };
}

async function recordsOf(found: Snapshot | null): Promise<string[]> {
  const texts: string[] = [];
  for await (const text of found?.records ?? []) texts.push(text);
  return texts;
}

describe('SnapshotFolder', () => {
  it('reads what the newest file holds', async () => {
    await withFolder(async (path) => {
      const folder = new SnapshotFolder(path);
      expect(await folder.read()).toBeNull();
      await folder.write(snapshot(9));
      await folder.write(snapshot(10, ['"new"']));
      const found = await new SnapshotFolder(path).read();
      expect(found).toMatchObject({ sequence: 10, header: { made: 10 }, count: 1 });
      expect(await recordsOf(found)).toEqual(['"new"']);
    });
  });

  it('reads many records and long ones', async () => {
    await withFolder(async (path) => {
      const texts = Array.from({ length: 5000 }, (_, i) => JSON.stringify('ü'.repeat(i % 700)));
      texts.push(JSON.stringify('x'.repeat(2_500_000)));
      const folder = new SnapshotFolder(path);
      await folder.write({ ...snapshot(1, texts), header: 'y'.repeat(2_500_000) });
      const { size } = folder;
      const reader = new SnapshotFolder(path);
      expect(await recordsOf(await reader.read())).toEqual(texts);
      expect(reader.size).toBe(size);
    });
  });

  it('lets the event loop turn after every 64 KiB of records', async () => {
    await withFolder(async (path) => {
      let sinceTurn = 0;
      let most = 0;
      let done = false;
      const turn = () => {
        sinceTurn = 0;
        if (!done) setImmediate(turn);
      };
      turn();
      function* many() {
        for (let i = 0; i < 5000; i++) {
          sinceTurn += 1;
          most = Math.max(most, sinceTurn);
          yield JSON.stringify('x'.repeat(1000));
        }
      }
      await new SnapshotFolder(path).write({ ...snapshot(1), count: 5000, records: many() });
      done = true;
      expect(most).toBeLessThan(80);
    });
  });

  it('keeps two and says back to which the journal must reach', async () => {
    await withFolder(async (path) => {
      const folder = new SnapshotFolder(path);
      expect(await folder.dropOld()).toBe(0);
      await folder.write(snapshot(5));
      expect(await folder.dropOld()).toBe(0);
      for (const sequence of [7, 12]) await folder.write(snapshot(sequence));
      expect(await folder.dropOld()).toBe(7);
      expect(await readdir(path)).toEqual(['000000000007.ndjson', '000000000012.ndjson']);
    });
  });

  it('leaves nothing behind when writing fails', async () => {
    await withFolder(async (path) => {
      function* failing() {
        yield '"a"';
        throw new Error('made to fail');
      }
      const folder = new SnapshotFolder(path);
      await expect(folder.write({ ...snapshot(1), records: failing() })).rejects.toThrow('made to fail');
      expect(await readdir(path)).toEqual([]);
      const missing = new SnapshotFolder(join(path, 'missing'));
      await expect(missing.write(snapshot(1))).rejects.toMatchObject({ code: 'stateFailed' });
    });
  });

  it('removes and never reads what was left unfinished', async () => {
    await withFolder(async (path) => {
      await writeFile(join(path, '000000000007.ndjson.tmp'), 'half a');
      const folder = new SnapshotFolder(path);
      expect(await folder.read()).toBeNull();
      await folder.removeUnfinished();
      expect(await readdir(path)).toEqual([]);
    });
  });
});

describe('a damaged snapshot', () => {
  async function damaged(change: (whole: Buffer) => Iterable<Buffer>, expected: RegExp): Promise<void> {
    await withFolder(async (folder) => {
      await new SnapshotFolder(folder).write(snapshot(5));
      const path = join(folder, '000000000005.ndjson');
      const whole = await readFile(path);
      for (const bytes of change(whole)) {
        await writeFile(path, bytes);
        const error = await readSnapshot(path)
          .then(recordsOf)
          .catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(DamagedFile);
        expect((error as DamagedFile).message).toContain(path);
        expect((error as DamagedFile).message).toMatch(expected);
      }
    });
  }

  it('is noticed wherever a byte is flipped', async () => {
    await damaged(function* (whole) {
      for (let at = 0; at < whole.length; at++) {
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ 0x01;
        yield flipped;
      }
    }, /line \d+ \(byte \d+\) (does not match its checksum|breaks off)/);
  });

  it('is noticed wherever it was cut', async () => {
    await damaged(function* (whole) {
      for (let length = 0; length < whole.length; length++) yield whole.subarray(0, length);
    }, /breaks off|holds \d records instead of 3|has no first line/);
  });

  it('is noticed when a line is gone, is there twice, or is not ours', async () => {
    await damaged(function* (whole) {
      const [header = '', a = '', b = '', c = ''] = whole.toString('latin1').split('\n');
      for (const lines of [
        [header, a, c],
        [header, a, a, b, c],
        [header, a, b, c, c],
      ]) {
        yield Buffer.from(`${lines.join('\n')}\n`, 'latin1');
      }
    }, /holds \d records instead of 3/);
    await damaged(function* () {
      yield Buffer.from(encodeLine('{"vbatch":"journal","format":1}'));
      yield Buffer.from(encodeLine('null'));
    }, /does not make it a snapshot/);
  });

  it('is told from one that a newer version wrote', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, '000000000005.ndjson');
      await writeFile(path, encodeLine('{"vbatch":"snapshot","format":2}'));
      await expect(readSnapshot(path)).rejects.toMatchObject({
        code: 'stateFailed',
        message: expect.stringMatching(/format 2, .*Install that version/),
      });
    });
  });
});
