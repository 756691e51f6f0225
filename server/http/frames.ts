/**
 * The form in which both streams of a log cross one connection: 1 byte for the stream (1 = stdout,
 * 2 = stderr), 4 bytes for the length (big-endian), then so many bytes. client/logs.ts reads it.
 */
import { Transform } from 'node:stream';
import type { LogChunk } from '../engine/service.ts';

export const framesMediaType = 'application/vnd.vbatch.frames';

/** From LogChunk objects to frames. */
export function frameEncoder(): Transform {
  return new Transform({
    writableObjectMode: true,
    transform({ stream, data }: LogChunk, _encoding, done) {
      const head = Buffer.alloc(5);
      head.writeUInt8(stream === 'stdout' ? 1 : 2, 0);
      head.writeUInt32BE(data.length, 1);
      this.push(head);
      this.push(data);
      done();
    },
  });
}

/** From LogChunk objects to their bytes. */
export function byteEncoder(): Transform {
  return new Transform({
    writableObjectMode: true,
    transform: ({ data }: LogChunk, _encoding, done) => done(null, data),
  });
}
