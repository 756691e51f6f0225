import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stretchesOf } from '../../../server/hosts/logOrder.ts';

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
