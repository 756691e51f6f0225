import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countText,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from '../../../server/protocol/quantities.ts';

const KiB = 1024;
const GiB = KiB ** 3;

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['10B', 10],
    ['1024K', KiB ** 2],
    ['512M', 512 * KiB ** 2],
    ['32G', 32 * GiB],
    ['32GB', 32 * GiB],
    ['32GiB', 32 * GiB],
    ['32gib', 32 * GiB],
    ['1.5T', 1.5 * KiB ** 4],
    ['1P', KiB ** 5],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    '',
    'G',
    '-1G',
    '32 G',
    '32Q',
    '32Gi',
    '32iB',
    '1.5',
    '1.5B',
    '0x10',
    '1e3',
    '1,5G',
    'NaN',
    '32G\n',
  ])('refuses %j with an example', (text) => {
    expect(() => parseSize(text)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: `${JSON.stringify(text)} is not a size: write 32G, 512M, 1.5T or a plain number of bytes`,
      }),
    );
  });

  it('refuses a size beyond what can be counted', () => {
    expect(() => parseSize('9000000P')).toThrow('"9000000P" is too large for a size');
  });
});

describe('countText', () => {
  it('groups as English does', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (count) => {
        expect(countText(count)).toBe(count.toLocaleString('en-US'));
      }),
    );
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0'],
    [1023, '1023'],
    [1024, '1K'],
    [1.5 * KiB ** 4, '1.5T'],
    [33_567_543_296, '31.3G'],
    [1024 ** 3 - 1, '1G'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('writes back what was read', () => {
    const text = fc.tuple(fc.integer({ min: 1, max: 1023 }), fc.constantFrom('', 'K', 'M', 'G', 'T'));
    fc.assert(
      fc.property(text, ([amount, unit]) => {
        expect(formatSize(parseSize(`${amount}${unit}`))).toBe(`${amount}${unit}`);
      }),
    );
  });

  it('is off by no more than its one decimal, and settles at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 * KiB ** 5 }), (bytes) => {
        const text = formatSize(bytes);
        const read = parseSize(text);
        expect(Math.abs(read - bytes)).toBeLessThanOrEqual(bytes * 0.05);
        expect(formatSize(read)).toBe(text);
      }),
    );
  });
});

describe('parseDuration', () => {
  it.each([
    ['10s', 10],
    ['0s', 0],
    ['0.25s', 0.25],
    ['90m', 5_400],
    ['1.5h', 5_400],
    ['2h', 7_200],
    ['1d', 86_400],
    ['1h30m', 5_400],
    ['1d2h3m4s', 93_784],
    ['05:30', 330],
    ['90:00', 5_400],
    ['1:00:00', 3_600],
    ['36:00:00', 129_600],
    ['1-00:00:00', 86_400],
    ['2-12:30:15', 217_815],
  ])('reads %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each([
    '',
    's',
    '-1s',
    '10 s',
    '10S',
    '1m1h',
    '1.s',
    '10sec',
    '1:60',
    '1:60:00',
    '1-24:00:00',
    '1-10',
    '1:2:3:4',
    '1:2',
  ])('refuses %j with examples', (text) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: `${JSON.stringify(text)} is not a duration: write 10s, 90m, 2h, 1d or D-HH:MM:SS`,
      }),
    );
  });

  it('asks for the unit of a plain number', () => {
    expect(() => parseDuration('90')).toThrow('"90" has no unit: write 90s for seconds or 90m for minutes');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [0.04, '0s'],
    [0.34, '0.3s'],
    [9.96, '10s'],
    [12.7, '13s'],
    [59.6, '1m'],
    [5_400, '1h30m'],
    [93_784, '1d2h3m4s'],
  ])('writes %d as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it('is read back exactly where it is whole seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 * 86_400 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds))).toBe(seconds);
      }),
    );
  });

  it('is off by half a second at most', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (seconds) => {
        expect(Math.abs(parseDuration(formatDuration(seconds)) - seconds)).toBeLessThanOrEqual(0.5);
      }),
    );
  });

  it('agrees with the clock form', () => {
    const field = (max: number) => fc.integer({ min: 0, max });
    const two = (value: number) => String(value).padStart(2, '0');
    fc.assert(
      fc.property(field(999), field(23), field(59), field(59), (d, h, m, s) => {
        const seconds = parseDuration(`${d}-${two(h)}:${two(m)}:${two(s)}`);
        expect(seconds).toBe(parseDuration(`${d}d${h}h${m}m${s}s`));
        expect(parseDuration(formatDuration(seconds))).toBe(seconds);
      }),
    );
  });
});
