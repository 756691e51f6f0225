/** SSH keys. */
import { readFileSync } from 'node:fs';
import { succeed } from './run.ts';

/**
 * Makes an ed25519 key pair, PATH and PATH.pub, and answers with the public one, as `TYPE BASE64`. A passphrase
 * is stretched as little as can be: that takes time.
 */
export async function makeKey(path: string, comment: string, passphrase = ''): Promise<string> {
  const rounds = ['-a', '1'];
  await succeed('ssh-keygen', [
    '-q',
    '-t',
    'ed25519',
    ...rounds,
    '-N',
    passphrase,
    '-C',
    comment,
    '-f',
    path,
  ]);
  return readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}
