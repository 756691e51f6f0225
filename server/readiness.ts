/**
 * How a server tells the program that started it that it is ready, or why it will not be: one line
 * of JSON through an inherited pipe. A pipe that closes without a line says that it has died.
 */
import { closeSync, writeSync } from 'node:fs';
import type { ErrorBody } from './protocol/errors.ts';

/** The variable that names the pipe's file descriptor. Absent where nobody waits to be told. */
export const readinessVariable = 'VBATCH_READY_FD';

export type Readiness = { port: number } | ErrorBody;

/** Tells whoever started this process. Call it once, after the discovery file is written. */
export function reportReadiness(env: NodeJS.ProcessEnv, readiness: Readiness): void {
  const descriptor = Number(env[readinessVariable]);
  if (!Number.isInteger(descriptor) || descriptor <= 2) return;
  try {
    writeSync(descriptor, `${JSON.stringify(readiness)}\n`);
    closeSync(descriptor);
  } catch {
    // Who asked has gone meanwhile; the server is no worse for it.
  }
}
