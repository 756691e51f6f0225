/**
 * The form in which both streams of a log cross one connection: 1 byte for the kind (1 = stdout,
 * 2 = stderr, 0 = an error that ends the log), 4 bytes for the length (big-endian), then so many
 * bytes. client/logs.ts reads it.
 */
import { pipeline, type Readable, Transform } from 'node:stream';
import type { ErrorBody } from '../protocol/errors.ts';
import type { LogChunk } from '../protocol/logs.ts';

export const framesMediaType = 'application/vnd.vbatch.frames';

/** Frames of a stream of LogChunk objects. Its failure becomes the last frame, as `describe` puts it. */
export function framesOf(source: Readable, describe: (error: unknown) => ErrorBody): Readable {
  const frames = new Transform({
    writableObjectMode: true,
    transform(chunk: LogChunk | ErrorBody, _encoding, done) {
      if ('error' in chunk) pushFrame(this, 0, Buffer.from(JSON.stringify(chunk)));
      else pushFrame(this, chunk.stream === 'stdout' ? 1 : 2, chunk.data);
      done();
    },
  });
  source.once('error', (error) => frames.end(describe(error)));
  frames.once('close', () => source.destroy());
  return source.pipe(frames);
}

function pushFrame(frames: Transform, kind: 0 | 1 | 2, data: Buffer): void {
  const head = Buffer.alloc(5);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(data.length, 1);
  frames.push(head);
  frames.push(data);
}

/** The bytes alone of a stream of LogChunk objects. Fails as it fails. */
export function bytesOf(source: Readable): Readable {
  const bytes = new Transform({
    writableObjectMode: true,
    transform: ({ data }: LogChunk, _encoding, done) => done(null, data),
  });
  // Whichever ends first ends the other; who reads the bytes is told.
  return pipeline(source, bytes, () => {});
}
