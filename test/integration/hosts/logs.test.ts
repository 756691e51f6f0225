import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bed } from './bed.ts';

describe('the output of an attempt', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.open();
  });
  afterAll(() => bed.dispose());

  const interleaved = 'for i in 1 2 3; do echo "out $i"; sleep 0.1; echo "err $i" >&2; sleep 0.1; done';
  const stretches = [0, 6, 12].flatMap((offset) => [
    { stream: 'stdout', offset, length: 6 },
    { stream: 'stderr', offset, length: 6 },
  ]);

  it('R36 can be read in the order it was written', async () => {
    const { key } = await bed.run(bed.script(interleaved));
    expect(await bed.host.logs.order(key)).toEqual(stretches);
    // The next server knows it, too.
    await bed.replaceHost();
    expect(await bed.host.logs.order(key)).toEqual(stretches);
  });

  it('R36 keeps the order over a change of servers', async () => {
    const key = bed.start(bed.script(`${interleaved}; until [ -e go ]; do sleep 0.02; done; echo last`));
    while ((await bed.host.logs.size(key, 'stderr')) < 18) await sleep(5);
    await sleep(50);
    await bed.replaceHost();
    bed.host.check(key);
    await bed.reports.about('started', key);
    writeFileSync(join(bed.work, 'go'), '');
    await bed.reports.exit(key);
    expect(await bed.host.logs.order(key)).toEqual([
      ...stretches,
      { stream: 'stdout', offset: 18, length: 5 },
    ]);
  });

  it('R36 comes as stdout, then stderr, where nobody could tell', async () => {
    const { key } = await bed.run(bed.script('echo err >&2; echo out'));
    const order = [
      { stream: 'stdout', offset: 0, length: 4 },
      { stream: 'stderr', offset: 0, length: 4 },
    ];
    expect((await bed.host.logs.order(key)).sort((a, b) => b.stream.localeCompare(a.stream))).toEqual(order);
    expect(await bed.host.logs.order((await bed.run({ command: ['true'] })).key)).toEqual([]);
    expect(await bed.host.logs.order('999.1')).toEqual([]);
  });

  it('tells a follower soon that there is more, until it has had enough', async () => {
    const key = bed.start(
      bed.script('for i in 1 2 3; do until [ -e $i ]; do sleep 0.01; done; echo $i; done'),
    );
    let tell = () => {};
    const stop = bed.host.logs.watch(key, () => tell());
    // Long quiet, so that looks have become rare.
    await sleep(300);
    for (const i of [1, 2]) {
      const told = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const begun = performance.now();
      writeFileSync(join(bed.work, String(i)), '');
      await told;
      expect(performance.now() - begun).toBeLessThan(250);
      expect(await bed.host.logs.size(key, 'stdout')).toBe(2 * i);
    }
    stop();
    let more = 0;
    tell = () => more++;
    writeFileSync(join(bed.work, '3'), '');
    await bed.reports.exit(key);
    expect(more).toBe(0);
  });

  it('tells a follower at the end', async () => {
    const key = bed.start(bed.script('sleep 0.1'));
    const told = new Promise<void>((resolve) => bed.host.logs.watch(key, resolve));
    await bed.reports.exit(key);
    await told;
  });

  it('is read from a running attempt, in ranges', async () => {
    const key = bed.start(bed.script('seq 100000; sleep 100'));
    const whole = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join('');
    while ((await bed.host.logs.size(key, 'stdout')) < whole.length) await sleep(5);
    expect((await bed.host.logs.read(key, 'stdout', 123_456, 1_000)).toString()).toBe(
      whole.slice(123_456, 124_456),
    );
    expect((await bed.host.logs.read(key, 'stdout', 0, 1 << 24)).toString() === whole).toBe(true);
  });
});

describe('the head of a file', () => {
  it('is read from any regular file, and from nothing else', async () => {
    const bed = await Bed.open();
    try {
      writeFileSync(join(bed.work, 'script'), '#!/bin/sh\n#VBATCH -P gpu-1\n');
      expect((await bed.host.readHead(join(bed.work, 'script'), 9))?.toString()).toBe('#!/bin/sh');
      expect(await bed.host.readHead(join(bed.work, 'none'), 9)).toBeNull();
      expect(await bed.host.readHead(bed.work, 9)).toBeNull();
      expect(await bed.host.readHead('/dev/zero', 9)).toBeNull();
      // A FIFO without a writer would be waited for.
      expect(await bed.host.readHead(join(bed.home, 'fifo'), 9)).toBeNull();
      expect(readFileSync(join(bed.work, 'script')).length).toBeGreaterThan(9);
    } finally {
      await bed.dispose();
    }
  });
});
