import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameDecoder } from '../../../server/client/logs.ts';
import { framesOf } from '../../../server/http/frames.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import type { LogChunk } from '../../../server/protocol/logs.ts';

const noError = () => {
  throw new Error('no error was expected');
};

function encode(chunks: readonly LogChunk[]): Promise<Buffer> {
  return buffer(framesOf(Readable.from(chunks), noError));
}

function decode(parts: readonly Buffer[]): LogChunk[] {
  const decoder = new FrameDecoder();
  const chunks = parts.flatMap((part) => [...decoder.push(part)]);
  decoder.end();
  return chunks;
}

/** The bytes with the stream of each, so that it does not matter where chunks are cut. */
function byteByByte(chunks: readonly LogChunk[]): string[] {
  return chunks.flatMap(({ stream, data }) => [...data].map((byte) => `${stream} ${byte}`));
}

/** Cuts bytes at these places, taken modulo their length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
}

const anyChunk: fc.Arbitrary<LogChunk> = fc.record({
  stream: fc.constantFrom('stdout' as const, 'stderr' as const),
  data: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
});

it('gives back what was framed, wherever the network cuts it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyChunk), fc.array(fc.nat(), { maxLength: 10 }), async (chunks, places) => {
      expect(byteByByte(decode(cut(await encode(chunks), places)))).toEqual(byteByByte(chunks));
    }),
  );
});

it('passes on a part of a frame without waiting for the rest', () => {
  const decoder = new FrameDecoder();
  const parts = ['\x01\0\0\0\x04ab', 'c', 'd'].map((text) => [...decoder.push(Buffer.from(text))]);
  expect(parts.map(([chunk]) => String(chunk?.data))).toEqual(['ab', 'c', 'd']);
});

it('throws what an error frame says, after what came before it', async () => {
  const source = Readable.from(
    (async function* () {
      yield { stream: 'stdout', data: Buffer.from('x') };
      throw new Error('inner');
    })(),
  );
  const error = { code: 'unreachable' as const, message: 'The host big is unreachable.' };
  const bytes = await buffer(framesOf(source, () => ({ error })));
  for (const places of [[], Array.from({ length: bytes.length }, (_, i) => i)]) {
    const decoder = new FrameDecoder();
    const seen: string[] = [];
    const read = () => {
      for (const part of cut(bytes, places))
        for (const { data } of decoder.push(part)) seen.push(String(data));
    };
    expect(read).toThrow(new VbatchError('unreachable', 'The host big is unreachable.'));
    expect(seen).toEqual(['x']);
  }
});

it.each(['\x01', '\x01\0\0\0\x02a', '\x01\0\0\0\x01a\x02'])(
  'says that a log ended within a frame: %j',
  (text) => {
    expect(() => decode([Buffer.from(text)])).toThrow('within a frame');
  },
);

it('refuses what are no frames', () => {
  expect(() => decode([Buffer.from('HTTP/1.1 200 OK')])).toThrow('kind 72');
});
