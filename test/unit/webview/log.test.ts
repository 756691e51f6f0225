import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Frame, frameReader } from '../../../webview/link/frames.ts';
import { LogLines } from '../../../webview/state/logLines.ts';

function lines(...pieces: string[]): string[] {
  const log = new LogLines(100);
  for (const piece of pieces) log.add('stdout', piece);
  return log.lines.map(({ text }) => text);
}

it('makes lines of output, wherever it is cut', () => {
  const text = 'one\ntwo \x1b[31mred\x1b[0m\n\nlast\x1b]0;title\x07!';
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((end, at) => text.slice(places[at], end));
      expect(lines(...pieces)).toEqual(['one', 'two red', '', 'last!']);
    }),
  );
});

it('writes over what stood before a carriage return', () => {
  expect(lines('10 %\r', '20 %\r', '30 %\rdone\n', 'next\r\n')).toEqual(['done', 'next']);
});

it('keeps the streams apart, and the newest lines', () => {
  const log = new LogLines(2);
  log.add('stdout', 'a');
  log.add('stderr', 'warning\n');
  log.add('stdout', 'b\nc\n');
  expect(log.lines).toEqual([
    { stream: 'stderr', text: 'warning' },
    { stream: 'stdout', text: 'c' },
  ]);
  expect(log.dropped).toBe(1);
});

it('takes frames apart, wherever they are cut', () => {
  const frame = (kind: number, text: string) => {
    const data = Buffer.from(text);
    const head = Buffer.alloc(5);
    head.writeUInt8(kind, 0);
    head.writeUInt32BE(data.length, 1);
    return Buffer.concat([head, data]);
  };
  const bytes = Buffer.concat([
    frame(1, 'häl'),
    frame(2, 'oops'),
    frame(1, 'lo'),
    frame(0, JSON.stringify({ error: { code: 'unreachable', message: 'gone' } })),
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), (length) => {
      const read = frameReader();
      const frames: Frame[] = [];
      for (let at = 0; at < bytes.length; at += length) frames.push(...read(bytes.subarray(at, at + length)));
      const textOf = (stream: string) =>
        frames.flatMap((each) => ('stream' in each && each.stream === stream ? each.text : [])).join('');
      expect([textOf('stdout'), textOf('stderr'), frames.at(-1)]).toEqual([
        'hällo',
        'oops',
        { error: 'gone' },
      ]);
    }),
  );
});
