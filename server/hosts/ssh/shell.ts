import type { SshConnection } from '../../ssh/connection.ts';
import type { ReadingShell } from '../told.ts';

/** A POSIX shell of the host's that reads its stdin. Whatever the login shell is, it can start that. */
export async function openReadingShell(connection: SshConnection): Promise<ReadingShell> {
  const channel = await connection.exec('exec /bin/sh -s');
  channel.exit.catch(() => {});
  const { stdin, stdout } = channel;
  return { stdin, stdout, close: () => channel.close() };
}
