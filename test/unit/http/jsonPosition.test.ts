import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonErrorOffset, placeInText } from '../../../server/http/jsonPosition.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

it.each([
  ['', 0],
  ['{', 1],
  ['{"a":1,}', 7],
  ['{"a" 1}', 5],
  ['{a: 1}', 1],
  ['[1 2]', 3],
  ['[1,]', 3],
  ['"ab\ncd"', 3],
  ['"a\\x"', 2],
  ['"open', 5],
  ['nul', 0],
  ['01', 1],
  ['{} x', 3],
  ['[1]]', 3],
  ["{'a':1}", 1],
])('finds where %j goes wrong', (text, offset) => {
  expect(jsonErrorOffset(text)).toBe(offset);
});

it('agrees with JSON.parse on what is JSON', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-',
    '.5',
    'e3',
    'true',
    'nul',
    ' ',
    '\\',
    '\n',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
      ),
      (text) => {
        expect(jsonErrorOffset(text) === null).toBe(isJson(text));
      },
    ),
    { numRuns: 3_000 },
  );
});

it('never blames what comes before a foreign character', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, seed) => {
      const place = seed % (text.length + 1);
      const offset = jsonErrorOffset(`${text.slice(0, place)}\u0001${text.slice(place)}`);
      expect(offset).not.toBeNull();
      expect(offset).toBeGreaterThanOrEqual(Math.max(0, place - 'false'.length));
      expect(offset).toBeLessThanOrEqual(place);
    }),
  );
});

it('names line and column from 1', () => {
  expect(placeInText('{\n  "a": x\n}', 9)).toBe('line 2, column 8');
  expect(placeInText('x', 0)).toBe('line 1, column 1');
});
