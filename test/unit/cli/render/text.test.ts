import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, harmless, padText, textWidth } from '../../../../cli/render/text.ts';

/** Characters of all kinds that names are made of, and some that they should not be made of. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      'a',
      ' ',
      '日',
      'ｱ',
      '😀',
      'é',
      'e\u0301',
      '👩‍👩‍👧',
      '🇯🇵',
      '\u200d',
      '한',
      '\x1b',
      '\n',
      '\udc80',
      '\u202e',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 30,
});

describe('width of text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['日本', 4],
    ['ｱ', 1],
    ['Ａ', 2],
    ['한국', 4],
    ['e\u0301', 1],
    ['é', 1],
    ['😀', 2],
    ['👩‍👩‍👧', 2],
    ['🇯🇵', 2],
    ['❤️', 2],
    ['❤', 1],
    ['✓ ✗ ● ○', 7],
    ['\u200b', 0],
  ])('%j takes %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe('harmless', () => {
  it('shows control characters instead of obeying them', () => {
    expect(harmless('a\x1b[31mb\n\x00\x7f\x9b\u202e\u2028\udc80')).toBe('a␛[31mb␊␀␡����');
  });

  it('leaves letters of all scripts, and emoji, as they are', () => {
    for (const text of ['naïve', '日本', 'שלום', '👩‍👩‍👧', 'e\u0301']) expect(harmless(text)).toBe(text);
  });

  it('leaves no control character and no half of a pair', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(harmless(text)).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

describe('cutting and padding', () => {
  it.each([
    ['training', 8, 'training', 'training'],
    ['training', 5, 'trai…', '…ning'],
    ['日本語', 5, '日本…', '…本語'],
    ['日本語', 4, '日…', '…語'],
    ['abc', 1, '…', '…'],
    ['abc', 0, '', ''],
  ])('%j in %i columns is %j, or %j with its end', (text, width, start, end) => {
    expect(cutText(text, width)).toBe(start);
    expect(cutText(text, width, 'end')).toBe(end);
  });

  it('what is cut fits, and is nearly as wide as allowed', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.nat(40),
        fc.constantFrom('start' as const, 'end' as const),
        (text, width, keep) => {
          const whole = harmless(text);
          const cut = cutText(whole, width, keep);
          expect(textWidth(cut)).toBeLessThanOrEqual(width);
          if (textWidth(whole) <= width) expect(cut).toBe(whole);
          // Cutting may change how the last grapheme is joined, and a wide one leaves a column free.
          else if (width > 0) expect(cut).toContain('…');
        },
      ),
    );
  });

  it('what is padded has the width asked for', () => {
    expect(padText('日本', 6)).toBe('日本  ');
    expect(padText('7', 3, 'right')).toBe('  7');
    expect(padText('abc', 2)).toBe('abc');
  });
});
