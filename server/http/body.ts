/** Reads the JSON body of a request. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { VbatchError } from '../protocol/errors.ts';
import { maxBodyBytes } from '../protocol/tasks.ts';
import { jsonErrorOffset, placeInText } from './jsonPosition.ts';

/**
 * The body as a value. Rejects with `tooLarge` above `maxBodyBytes` and with `invalid` where it is
 * not JSON in UTF-8. What is too large is still read off the connection, and thrown away: otherwise
 * the client would see a broken pipe instead of the answer.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) throw new VbatchError('invalid', 'The request has no body; send a JSON object.');
  if (!isUtf8(bytes)) throw new VbatchError('invalid', 'The request body is not valid UTF-8.');
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    const place = placeInText(text, jsonErrorOffset(text) ?? text.length);
    throw new VbatchError('invalid', `The request body is not valid JSON: it goes wrong at ${place}.`);
  }
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const refuse = () => {
      request.off('data', take);
      request.resume();
      const message = `The request body is larger than ${maxBodyBytes} bytes; send fewer tasks in one request.`;
      reject(new VbatchError('tooLarge', message));
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBodyBytes) refuse();
      else chunks.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.once('error', () => reject(new VbatchError('invalid', 'The request broke off within its body.')));
  });
}
