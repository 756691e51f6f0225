/** The login environment of a machine over SSH (R34). */
import { encodeBytes } from '../../protocol/bytes.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import { quote } from '../agent/orders.ts';
import { type Login, loginMark, loginMarks, loginPatience, parseLogin } from '../login.ts';
import { readMarked } from '../marked.ts';

/**
 * Has the user's shell, as a login, interactive one, print its environment by `printer`, the path of
 * login.sh. Where nothing comes of that, it is the environment that sshd gives, and `log` is told so.
 */
export async function captureRemoteLogin(
  connection: SshConnection,
  shell: string,
  printer: string,
  log: (message: string) => void,
): Promise<Login> {
  const output = await printed(connection, loginCommand(shell, printer));
  if (Buffer.isBuffer(output)) return parseLogin(output);
  log(`its login shell ${shell} ${output}; tasks get the environment that sshd gives.`);
  const plain = await printed(connection, (mark) => `exec ${quote(printer)} ${mark}`);
  if (Buffer.isBuffer(plain)) return parseLogin(plain);
  throw new Error(`its environment cannot be found out: ${printer} ${plain}`);
}

async function printed(
  connection: SshConnection,
  command: (mark: string) => string,
): Promise<Buffer | string> {
  const mark = loginMark();
  const channel = await connection.exec('exec /bin/sh -s');
  channel.exit.catch(() => {});
  channel.stdin.end(encodeBytes(`TERM=dumb\nexport TERM\ncd /\n${command(mark)} </dev/null\n`));
  const output = await readMarked(channel.stdout, loginMarks(mark), loginPatience);
  channel.close();
  return output;
}

/** Has the user's shell, as a login, interactive one, run `printer` with a mark: for a POSIX shell to read. */
export function loginCommand(shell: string, printer: string): (mark: string) => string {
  return (mark) => {
    const words = ['-i', '-c', quote(`${quote(printer)} ${mark}`)].join(' ');
    if (!shell.endsWith('csh')) return `exec ${quote(shell)} -l ${words}`;
    // csh takes -l only by itself; a name that begins with a dash makes a login shell of it, too.
    const dashed = `exec bash -c 'exec -a -csh "$0" "$@"' ${quote(shell)} ${words}`;
    return `command -v bash >/dev/null && ${dashed} </dev/null\nexec ${quote(shell)} ${words}`;
  };
}
