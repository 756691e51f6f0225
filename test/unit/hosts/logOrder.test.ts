import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hostPaths } from '../../../server/hosts/files.ts';
import { LogOrder, stretchesOf } from '../../../server/hosts/logOrder.ts';

const growth = fc.array(
  fc.record({ stream: fc.constantFrom('stdout' as const, 'stderr' as const), length: fc.nat(5) }),
);

it('R36 stretches cover each stream once, in its own order, whatever was seen', () => {
  fc.assert(
    fc.property(growth, fc.nat(40), fc.nat(40), (seen, stdout, stderr) => {
      const stretches = stretchesOf(seen, { stdout, stderr });
      for (const [stream, size] of [
        ['stdout', stdout],
        ['stderr', stderr],
      ] as const) {
        let at = 0;
        for (const stretch of stretches.filter((one) => one.stream === stream)) {
          expect(stretch.offset).toBe(at);
          expect(stretch.length).toBeGreaterThan(0);
          at += stretch.length;
        }
        expect(at).toBe(size);
      }
      for (const [i, stretch] of stretches.entries())
        expect(stretch.stream).not.toBe(stretches[i + 1]?.stream);
    }),
  );
});

it('R36 what nobody saw comes last, stdout first', () => {
  const seen = [
    { stream: 'stderr' as const, length: 2 },
    { stream: 'stdout' as const, length: 1 },
  ];
  expect(stretchesOf(seen, { stdout: 4, stderr: 5 })).toEqual([
    { stream: 'stderr', offset: 0, length: 2 },
    { stream: 'stdout', offset: 0, length: 4 },
    { stream: 'stderr', offset: 2, length: 3 },
  ]);
});

it('R36 what was told of the order of an attempt that runs only grows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vbatch-order-'));
  try {
    const paths = hostPaths(folder);
    await mkdir(dirname(paths.log('1.1', 'stdout')), { recursive: true });
    const order = new LogOrder(paths, () => {});
    await appendFile(paths.log('1.1', 'stdout'), 'o');
    order.note('1.1');
    let before: string[] = [];
    for (let i = 0; i < 40; i++) {
      // Both grow between two looks, in an order that nobody sees.
      await appendFile(paths.log('1.1', 'stderr'), 'e'.repeat(i % 3));
      await appendFile(paths.log('1.1', 'stdout'), 'o'.repeat((i * 7) % 5));
      if (i % 4 === 0) order.note('1.1');
      const told = (await order.stretches('1.1')).flatMap(({ stream, length }) => Array(length).fill(stream));
      expect(told.slice(0, before.length)).toEqual(before);
      before = told;
    }
    expect(before.length).toBe(1 + 39 + 80);
  } finally {
    await rm(folder, { recursive: true });
  }
});
