/** Objects as lines of JSON text. */
import { type Readable, Transform } from 'node:stream';
import type { ErrorBody } from '../protocol/errors.ts';

export const ndjsonMediaType = 'application/x-ndjson';

/** A line for each object. A failure of the source becomes the last one, of type `failed`, as `describe` puts it. */
export function linesOf(source: Readable, describe: (error: unknown) => ErrorBody): Readable {
  const lines = new Transform({
    writableObjectMode: true,
    transform: (message: object, _encoding, done) => done(null, `${JSON.stringify(message)}\n`),
  });
  source.once('error', (error) => lines.end({ type: 'failed', ...describe(error) }));
  lines.once('close', () => source.destroy());
  return source.pipe(lines);
}
