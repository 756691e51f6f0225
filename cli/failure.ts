/** What a person sees of an error, and how a program ends after it (R2). */
import { errorEntry, VbatchError } from '../server/protocol/errors.ts';
import { harmless } from './render/text.ts';

/** Prints the error in a line after the program's name. Returns the exit code. */
export function reportFailure(
  program: string,
  error: unknown,
  stderr: { write(text: string): unknown },
): number {
  if (error instanceof VbatchError) {
    // Some messages have a line for each mistake; each line is made harmless by itself.
    const lines = error.message.split('\n').map(harmless).join('\n');
    stderr.write(`${program}: ${lines}\n`);
    return errorEntry(error.code).exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  stderr.write(`${program}: this is a mistake in vbatch itself, please report it: ${harmless(message)}\n`);
  return 1;
}
