/** Turns whatever was thrown into the answer that a client gets. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type ErrorBody, errorEntry, VbatchError } from '../protocol/errors.ts';

/**
 * Status and body of the answer to a request that failed with `error`. What is not an expected
 * failure is logged with its stack under a reference, and only the reference is told.
 */
export function failureAnswer(
  error: unknown,
  what: string,
  log: Logger,
): { status: number; body: ErrorBody } {
  const expected = expectedFailure(error);
  if (expected !== null) {
    const { code, message } = expected;
    return { status: errorEntry(code).status, body: { error: { code, message } } };
  }
  const reference = randomBytes(4).toString('hex');
  log.error({ err: error, reference }, `${what} failed unexpectedly`);
  const message = `The server met a bug while it handled ${what}; look for ${reference} in its log (vctl server log).`;
  return { status: errorEntry('internal').status, body: { error: { code: 'internal', message } } };
}

function expectedFailure(error: unknown): VbatchError | null {
  if (error instanceof VbatchError) return error;
  // Express throws this where a path holds a % that begins no escape.
  if (error instanceof URIError) {
    return new VbatchError('invalid', 'The path of the request is not URL-encoded correctly.');
  }
  return null;
}
