/**
 * Every failure that a person can expect, in one table. What is not in it is a bug: it is logged
 * with its stack and reported as `internal`.
 */

interface ErrorEntry {
  /** HTTP status of the answer. */
  status: number;
  /** Exit status of the command line (R2): 2 = wrong usage, 1 = refused or no server. */
  exitCode: 1 | 2;
  /** The same request may succeed later, unchanged. */
  retryable: boolean;
}

const table = {
  usage: { status: 400, exitCode: 2, retryable: false },
  invalid: { status: 400, exitCode: 2, retryable: false },
  unauthorized: { status: 401, exitCode: 1, retryable: false },
  forbidden: { status: 403, exitCode: 1, retryable: false },
  notFound: { status: 404, exitCode: 1, retryable: false },
  refused: { status: 409, exitCode: 1, retryable: false },
  tooLarge: { status: 413, exitCode: 2, retryable: false },
  configuration: { status: 422, exitCode: 1, retryable: false },
  internal: { status: 500, exitCode: 1, retryable: false },
  noServer: { status: 503, exitCode: 1, retryable: true },
  unreachable: { status: 503, exitCode: 1, retryable: true },
  stateFailed: { status: 503, exitCode: 1, retryable: false },
  diskFull: { status: 507, exitCode: 1, retryable: true },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof table;

/** All codes, in the order of the table. */
export const errorCodes = Object.keys(table) as ErrorCode[];

/** Status, exit code and retryability of an error code. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return table[code];
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(table, text);
}

/**
 * An expected failure. The message is one sentence or two for a person: what was tried, on what,
 * and what to do next. It never carries a secret.
 */
export class VbatchError extends Error {
  override readonly name = 'VbatchError';

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** The form in which an error crosses a process. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string };
}
