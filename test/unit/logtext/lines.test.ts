import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogLines, maxLineLength, type Stream } from '../../../logtext/lines.ts';
import { paletteColour } from '../../../logtext/style.ts';

/** Writes pieces one after another. */
function written(...pieces: [Stream, string | Uint8Array][]): LogLines {
  const lines = new LogLines();
  let position = 0;
  for (const [stream, piece] of pieces) {
    const bytes = Buffer.from(piece);
    lines.write(stream, bytes, position);
    position += bytes.length;
  }
  return lines;
}

const out = (text: string): [Stream, string] => ['stdout', text];
const err = (text: string): [Stream, string] => ['stderr', text];
const shown = (lines: LogLines) =>
  lines.lines.map(({ stream, text }) => (stream === 'stdout' ? text : `!${text}`));

describe('lines', () => {
  it('are told apart by their streams and know where they begin', () => {
    const lines = written(out('one\ntwo\n'), err('oh\n'), out('three'));
    expect(shown(lines)).toEqual(['one', 'two', '!oh', 'three']);
    expect(lines.lines.map(({ position }) => position)).toEqual([0, 4, 8, 11]);
    expect(lines.text()).toBe('one\ntwo\noh\nthree');
    expect(written(out('a\n')).text()).toBe('a\n');
    expect(written().text()).toBe('');
  });

  it('are one where the order of the streams has cut them', () => {
    expect(shown(written(out('hal'), err('oh\n'), out('f\nnext\n')))).toEqual(['half', '!oh', 'next']);
  });

  it('come out the same wherever the bytes are cut, sequences and characters included', () => {
    const part = fc.constantFrom(
      'é',
      '\u001b[31m',
      '\u001b[0m',
      '🚀',
      '\n',
      '\r',
      'ab',
      '\b',
      '\u001b[K',
      '\u001b]0;t\u0007',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(40)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const whole = written(['stdout', bytes]);
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const pieces = places
          .slice(1)
          .map((end, i): [Stream, Uint8Array] => ['stdout', bytes.subarray(places[i], end)]);
        const cut = written(...pieces);
        const looks = (lines: LogLines) => lines.lines.map(({ text, spans }) => ({ text, spans }));
        expect(looks(cut)).toEqual(looks(whole));
        expect(cut.length).toBe(cut.lines.reduce((sum, { text }) => sum + text.length + 1, 0));
      }),
      { examples: [[['🚀', '\u001b[31m', '🚀', '\r', 'é', 'é'], [16]]] },
    );
  });

  it('show a sign for bytes that are no text', () => {
    expect(shown(written(['stdout', Uint8Array.of(0x61, 0xff, 0x62, 0xc3, 0x0a)]))).toEqual([
      'a\ufffdb\ufffd',
    ]);
  });

  it('are written over after a carriage return, as bars of progress are', () => {
    expect(shown(written(out('10%\r20%\r100%\ndone\r\n')))).toEqual(['100%', 'done']);
    expect(shown(written(out('abcdef\rxy'), out('\u001b[K')))).toEqual(['xy']);
    expect(shown(written(out('abc\b\bX\u001b[1K')))).toEqual(['  c']);
    expect(shown(written(out('abc\u001b[2K\rd')))).toEqual(['d']);
  });

  it('a bar of progress that is written anew moves below what the other stream has written', () => {
    const lines = written(err('10%'), out('epoch 1\n'), err('\r20%'));
    expect(shown(lines)).toEqual(['epoch 1', '!20%']);
    expect(lines.lines[1]?.position).toBe(11);
  });

  it('keep colours over pieces and lines, without the sequences', () => {
    const lines = written(
      out('\u001b[1;3'),
      out('1mred\nstill\u001b[0m not \u001b[48;5;200mx\u001b[38;2;1;2;3my'),
    );
    expect(lines.text()).toBe('red\nstill not xy');
    const styles = lines.lines.map(({ spans }) =>
      spans.map(({ start, end, style }) => [start, end, style.foreground, style.background, style.bold]),
    );
    expect(styles).toEqual([
      [[0, 3, 1, null, true]],
      [
        [0, 5, 1, null, true],
        [10, 11, null, 200, false],
        [11, 12, '#010203', 200, false],
      ],
    ]);
  });

  it('that are written over keep only the colours that still show', () => {
    const [line] = written(out('\u001b[32mgreen\u001b[0m\rab')).lines;
    expect(line?.spans).toMatchObject([{ start: 2, end: 5 }]);
  });

  it('leave out what is no text: titles, links, moves, sounds, and what ends lines for an editor', () => {
    const text =
      '\u001b]8;;http://x\u001b\\link\u001b]8;;\u0007\u001b(B\u001b[3A\u0007\u001b[?25lok\u2028\u000b';
    expect(shown(written(out(text)))).toEqual(['linkok ']);
    expect(shown(written(out('\u001b]0;never ended\nnext')))).toEqual(['', 'next']);
  });

  it('that are too long go on in the next one', () => {
    const lines = written(out(`${'x'.repeat(maxLineLength * 2 + 5)}\n`));
    expect(lines.lines.map(({ text }) => text.length)).toEqual([maxLineLength, maxLineLength, 5]);
  });

  it('of a part leave out what is left of the line before it, in each stream', () => {
    const lines = new LogLines({ stdout: true, stderr: false });
    lines.write('stdout', Buffer.from('lf\u001b[31m of a line\nwhole\n'), 100);
    lines.write('stderr', Buffer.from('oh\n'), 120);
    expect(shown(lines)).toEqual(['whole', '!oh']);
  });

  it('are dropped from the top, down to a size', () => {
    const lines = written(out('aaaa\nbbbb\ncc'));
    expect(lines.takeChanged()).toBe(0);
    expect(lines.trim(9)).toBe(1);
    expect(lines.length).toBe(8);
    expect(lines.takeChanged()).toBe(0);
    lines.write('stdout', Buffer.from('c\n'), 12);
    expect(lines.takeChanged()).toBe(1);
    expect(lines.trim(0)).toBe(1);
    expect(lines.text()).toBe('ccc\n');
    expect(lines.length).toBe(4);
  });
});

it('colours of the palette are those of xterm', () => {
  expect([16, 231, 196, 232, 255].map(paletteColour)).toEqual([
    '#000000',
    '#ffffff',
    '#ff0000',
    '#080808',
    '#eeeeee',
  ]);
});
