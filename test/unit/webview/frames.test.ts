import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Frame, frameReader } from '../../../webview/link/frames.ts';

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
        Buffer.concat(
          frames.flatMap((each) => ('stream' in each && each.stream === stream ? each.bytes : [])),
        ).toString();
      expect([textOf('stdout'), textOf('stderr'), frames.at(-1)]).toEqual([
        'hällo',
        'oops',
        { error: 'gone' },
      ]);
    }),
  );
});
