import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Pace } from '../../../../extension/tree/pace.ts';

const options = { pauseMs: 500, lineMs: 50, creditMs: 30_000, longestMs: 10_000 };

/** Refreshes as soon as may be, for so long. Gives when each was. */
function refreshes(lines: number, forMs: number): number[] {
  const pace = new Pace(options);
  const times: number[] = [];
  for (let now = 0; now < forMs; now = pace.from) {
    times.push(now);
    pace.spend(lines, now);
  }
  return times;
}

it('follows at once while little is shown anew', () => {
  expect(refreshes(10, 600_000)).toHaveLength(600_000 / options.pauseMs);
});

it('keeps to the price of a line over a long time, after what may be spent at once', () => {
  const times = refreshes(200, 600_000);
  expect(times.slice(0, 4)).toEqual([0, 500, 1_000, 1_500]);
  expect(times.length * 200 * options.lineMs).toBeLessThanOrEqual(
    600_000 + options.creditMs + 200 * options.lineMs,
  );
});

it('never waits longer than the longest pause, and never shorter than the least', () => {
  const spending = fc.array(fc.tuple(fc.nat(5_000), fc.nat(20_000)), { maxLength: 50 });
  fc.assert(
    fc.property(spending, (each) => {
      const pace = new Pace(options);
      let now = 0;
      for (const [lines, pause] of each) {
        pace.spend(lines, now);
        expect(pace.from - now).toBeGreaterThanOrEqual(options.pauseMs);
        expect(pace.from - now).toBeLessThanOrEqual(options.longestMs);
        now = pace.from + pause;
      }
    }),
  );
});

it('may be hurried once', () => {
  const pace = new Pace(options);
  pace.spend(10_000, 1_000);
  pace.hurry();
  expect(pace.from).toBe(0);
  pace.spend(1, 1_000);
  expect(pace.from).toBe(11_000);
});
