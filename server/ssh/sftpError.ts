/** What can go wrong with a file on a host, by the names that Node gives to the same things. */

export type SftpErrorCode =
  | 'ENOENT'
  | 'EACCES'
  | 'EEXIST'
  | 'ENOSPC'
  | 'EINVAL'
  | 'ENOSYS'
  /** SFTP says "Failure" for everything else: a folder that is not empty, a disk error, a quota. */
  | 'EIO';

export class SftpError extends Error {
  override readonly name = 'SftpError';

  constructor(
    readonly code: SftpErrorCode,
    /** What was done: `open`, `mkdir`. */
    readonly operation: string,
    readonly path: string,
    message: string,
  ) {
    super(`${operation} ${path.toWellFormed()}: ${message}`);
  }
}

/** The code for a status of SFTP 3, as OpenSSH's server uses it; null for success and the end of a file. */
export function codeOf(status: number): SftpErrorCode | null {
  switch (status) {
    case 0:
    case 1:
      return null;
    case 2:
      return 'ENOENT';
    case 3:
      return 'EACCES';
    case 5:
      return 'EINVAL';
    case 8:
      return 'ENOSYS';
    default:
      return 'EIO';
  }
}
