/** Errors of the file system, as they are shown. */
import { VbatchError } from '../protocol/errors.ts';

/** `ENOENT` and the like where the system refused something, else undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined;
}

/** No room left: the disk is full, or the user's quota on it is. */
function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * The error to show where the system refused something; any other error unchanged.
 *
 * @param failed what did not work, as the beginning of a sentence
 * @param advice what to do about it unless the disk is full, as a sentence
 */
export function ioFailure(error: unknown, failed: string, advice: string): unknown {
  if (!(error instanceof Error) || errorCode(error) === undefined) return error;
  return isDiskFull(error)
    ? new VbatchError('diskFull', `${failed}: ${error.message}. Free some space there.`)
    : new VbatchError('refused', `${failed}: ${error.message}. ${advice}`);
}
