import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { bytesOf, framesOf } from '../../../server/http/frames.ts';

const noError = () => {
  throw new Error('no error was expected');
};

it.each([
  ['frames', (source: PassThrough) => framesOf(source, noError)],
  ['bytes', bytesOf],
])('lets go of the log when nobody reads its %s any more', async (_, encode) => {
  const source = new PassThrough({ objectMode: true });
  const encoded = encode(source);
  encoded.on('error', () => {});
  encoded.destroy();
  await expect.poll(() => source.destroyed).toBe(true);
});
