/** The login environment of a machine (R34): what a person gets who opens a terminal on it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { quote } from './agent/orders.ts';
import { type Environment, isOurs, parseEnviron, parseExports, withoutOwn } from './environment.ts';
import { readMarked } from './marked.ts';

export interface Login {
  environment: Environment;
  /** As `umask` prints it: octal digits. */
  umask: string;
}

/** Start-up files that take longer than this are given up on. Milliseconds. */
export const loginPatience = 10_000;

/** A word for login.sh to mark what it prints. */
export function loginMark(): string {
  return `vbatch-login-${randomBytes(12).toString('hex')}`;
}

/** What stands before and after the environment in the output of login.sh. */
export function loginMarks(mark: string): { start: string; end: string } {
  return { start: `${mark} `, end: `${mark}\n` };
}

/**
 * Runs the user's shell as a login, interactive one, because conda, modules and the like are set up for
 * those only, and has it print its environment. Its start-up files may print, fail or end it: where
 * nothing comes of it the answer is `env` itself, and `log` is told so.
 */
export async function captureLogin(
  env: NodeJS.ProcessEnv,
  printer: string,
  log: (message: string) => void,
  patience = loginPatience,
): Promise<Login> {
  const inherited = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !isOurs(entry[0]),
  );
  const shell = env.SHELL || userInfo().shell || '/bin/sh';
  const mark = loginMark();
  const output = await outputOf(
    shell,
    `${quote(printer)} ${mark}`,
    Object.fromEntries(inherited),
    mark,
    patience,
  );
  if (Buffer.isBuffer(output)) return parseLogin(output);
  log(`The login shell ${shell} ${output}; tasks get the environment that the server was started with.`);
  return {
    environment: withoutOwn(inherited),
    umask: process.umask().toString(8).padStart(4, '0'),
  };
}

/** The bytes between the two marks, or a clause that says what went wrong. */
async function outputOf(
  shell: string,
  command: string,
  env: Record<string, string>,
  mark: string,
  patience: number,
): Promise<Buffer | string> {
  // csh takes -l only by itself; a name that begins with a dash makes a login shell of it, too.
  const isCsh = shell.endsWith('csh');
  const child = spawn(shell, isCsh ? ['-i', '-c', command] : ['-l', '-i', '-c', command], {
    argv0: isCsh ? `-${basename(shell)}` : shell,
    cwd: '/',
    detached: true,
    env: { ...env, TERM: 'dumb' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
  });
  const output = await Promise.race([failed, readMarked(child.stdout, loginMarks(mark), patience)]);
  child.stdout.destroy();
  // The whole session: an interactive shell's children have groups of their own and die of SIGPIPE or SIGHUP.
  if (!Buffer.isBuffer(output) && child.pid !== undefined) killGroup(child.pid);
  return output;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Reads what login.sh prints between its marks: `FORMAT UMASK`, a newline, the variables. */
export function parseLogin(output: Buffer): Login {
  const newline = output.indexOf(10);
  const [format, umask = ''] = output.subarray(0, newline).toString().split(' ');
  const variables = output.subarray(newline + 1);
  return {
    environment: withoutOwn(format === 'environ' ? parseEnviron(variables) : parseExports(variables)),
    umask: /^[0-7]{3,4}$/.test(umask) ? umask : '0022',
  };
}
