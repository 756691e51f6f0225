import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableLines } from '../../../../cli/render/table.ts';
import { harmless, textWidth } from '../../../../cli/render/text.ts';

const columns = [
  { header: 'ID', keep: 'end' as const },
  { header: 'N', align: 'right' as const },
  { header: 'REASON' },
];

function cells(...texts: string[]) {
  return texts.map((text) => ({ text }));
}

describe('tables', () => {
  it('are aligned, wide characters counted', () => {
    const rows = [cells('日本', '3', 'short'), cells('plain-name', '120', 'a longer reason')];
    expect(tableLines(columns, rows, { header: true, width: null })).toEqual([
      'ID            N  REASON',
      '日本          3  short',
      'plain-name  120  a longer reason',
    ]);
  });

  it('cut the widest column first, and an id at its beginning', () => {
    const rows = [cells('pipeline-4k2m9/train', '3', 'waits for prep to succeed')];
    expect(tableLines(columns, rows, { header: false, width: 40 })).toEqual([
      'pipeline-4k2m9/train  3  waits for prep…',
    ]);
    expect(tableLines(columns, rows, { header: false, width: 24 })).toEqual(['…k2m9/train  3  waits f…']);
  });

  it('style what is shown, and nothing else', () => {
    const style = (text: string) => `<${text}>`;
    const rows = [[{ text: 'a', style }, { text: '1' }, { text: '', style }], cells('bbb', '22', 'x')];
    expect(tableLines(columns, rows, { header: true, headerStyle: style, width: null })).toEqual([
      '<ID>    <N>  <REASON>',
      '<a>     1',
      'bbb  22  x',
    ]);
  });

  it('show the first columns only where a terminal is too narrow for all', () => {
    expect(tableLines(columns, [cells('abc', '1', 'x')], { header: false, width: 5 })).toEqual(['…c  1']);
    expect(tableLines(columns, [cells('abc', '1', 'x')], { header: false, width: 1 })).toEqual(['…']);
  });

  it('leave out a column in which nothing stands', () => {
    const rows = [cells('a', '', 'x'), cells('bb', '', '')];
    expect(tableLines(columns, rows, { header: false, width: null })).toEqual(['a   x', 'bb']);
    expect(tableLines(columns, [cells('', '', '')], { header: false, width: 20 })).toEqual(['']);
  });

  it('never exceed the terminal, and align every column', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'b', '日', '😀', ' ', '\x1b', 'é'), maxLength: 30 });
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 70 }), (texts, width) => {
        const rows = texts.map((row) => cells(...row));
        for (const line of tableLines(columns, rows, { header: true, width })) {
          expect(textWidth(line)).toBeLessThanOrEqual(width);
        }
        const whole = tableLines(columns, rows, { header: true, width: null });
        const first = Math.max(2, ...texts.map(([text]) => textWidth(harmless(text))));
        for (const [at, [text]] of texts.entries()) {
          const line = whole[at + 1] ?? '';
          const expected = harmless(text).trimEnd();
          expect(line.startsWith(expected)).toBe(true);
          const rest = line.slice(harmless(text).length);
          if (rest.trim() !== '')
            expect(rest.startsWith(' '.repeat(first - textWidth(harmless(text)) + 2))).toBe(true);
        }
      }),
    );
  });
});
