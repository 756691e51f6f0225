import { expect, it } from 'vitest';
import { parsePosition } from '../../../../extension/logs/position.ts';

it.each([
  ['50%', 500],
  [' 12.5 % ', 125],
  ['0%', 0],
  ['100%', 1_000],
  ['999%', 1_000],
  ['300', 300],
  ['0.5k', 512],
  ['1.2G', 1_000],
  ['9999999999999999P', 1_000],
])('%s of 1,000 bytes is byte %i', (text, position) => {
  expect(parsePosition(text, 1_000)).toBe(position);
});

it.each(['', '%', 'half', '-1', '-5%', '1e3', '50 percent'])('%j is no place', (text) => {
  expect(parsePosition(text, 1_000)).toBeNull();
});
