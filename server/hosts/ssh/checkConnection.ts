/** What a connection to a host can do, and how fast. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeBytes, displayText, encodeBytes } from '../../protocol/bytes.ts';
import type { Finding } from '../../protocol/hosts.ts';
import type { SshChannel } from '../../ssh/channel.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import { failure, ok, warning } from '../findings.ts';
import { loginPatience } from '../login.ts';
import { loginCommand } from './login.ts';

/** As many as OpenSSH allows by default, and as vbatch uses at most. */
const mostSessions = 10;
/** The agent and the files take one each, and everything else goes through what is left. */
const fewSessions = 3;
/** A host that opens no further session answers at once that it does not. Milliseconds. */
const sessionPatience = 1_000;
/** Start-up files that take longer than this hold up each command, or each first one. Milliseconds. */
const slowStartUp = 1_000;
const slowLogin = 3_000;

/** @param isOwn whether nothing else uses the connection. */
export async function connectionFindings(connection: SshConnection, isOwn: boolean): Promise<Finding[]> {
  const roundTrip = await measureRoundTrip(connection);
  return [
    ok('round trip', `${roundTrip.toFixed(1)} ms`),
    // On a connection that is in use, nobody knows how many are taken.
    ...(isOwn ? [await sessionsFinding(connection)] : []),
    await startUpFinding(connection, roundTrip),
    await filesFinding(connection),
  ];
}

/** How the user's shell starts as a login, interactive one, which tasks get their environment from (R34). */
export async function loginShellFinding(connection: SshConnection, shell: string): Promise<Finding> {
  const mark = newMark();
  const channel = await connection.exec('exec /bin/sh -s');
  channel.exit.catch(() => {});
  const since = performance.now();
  const command = loginCommand(shell, 'echo')(mark);
  channel.stdin.end(encodeBytes(`TERM=dumb\nexport TERM\ncd /\n${command} </dev/null\n`));
  const printed = await textBefore(channel, mark, loginPatience);
  const time = performance.now() - since;
  if (printed === null) {
    const text = `${shell} as a login, interactive shell does not run a command; tasks get the environment that sshd gives`;
    return warning('login shell', text, `see what it says to: ssh HOST ${shell} -l -i -c true`);
  }
  const text = `${shell} starts in ${Math.round(time)} ms`;
  if (time < slowLogin) return ok('login shell', text);
  return warning(
    'login shell',
    text,
    'look for what is slow in its start-up files: vbatch waits for it once',
  );
}

/** The median of some, in milliseconds. */
async function measureRoundTrip(connection: SshConnection): Promise<number> {
  const channel = await connection.exec('cat');
  channel.exit.catch(() => {});
  const times: number[] = [];
  for (let count = 0; count < 6; count++) {
    const since = performance.now();
    channel.stdin.write('\n');
    await Promise.race([once(channel.stdout, 'data'), channel.closed]);
    times.push(performance.now() - since);
  }
  channel.close();
  // The first includes the start of the command.
  return times.slice(1).sort((a, b) => a - b)[2] ?? 0;
}

async function sessionsFinding(connection: SshConnection): Promise<Finding> {
  const open: SshChannel[] = [];
  while (open.length < mostSessions) {
    const opening = connection.exec('cat');
    const channel = await Promise.race([opening, sleep(sessionPatience, null)]);
    if (channel === null) {
      // It gets its turn when the others are closed.
      opening.then(
        (late) => late.close(),
        () => {},
      );
      break;
    }
    channel.stdout.resume();
    channel.exit.catch(() => {});
    open.push(channel);
  }
  for (const channel of open) channel.close();
  await Promise.all(open.map(({ closed }) => closed));
  const count = open.length;
  const text = `it opens ${count === mostSessions ? `${count} or more` : count} at once on a connection`;
  const fix = 'raise MaxSessions in its sshd_config';
  if (count < 2) return failure('sessions', `${text}; the agent and the files take 2`, fix);
  return count < fewSessions ? warning('sessions', text, fix) : ok('sessions', text);
}

/** What the shell does by which sshd runs each command. */
async function startUpFinding(connection: SshConnection, roundTrip: number): Promise<Finding> {
  const mark = newMark();
  const since = performance.now();
  const channel = await connection.exec(`echo ${mark}`);
  channel.exit.catch(() => {});
  const printed = await textBefore(channel, mark, loginPatience);
  const time = Math.max(0, performance.now() - since - roundTrip);
  if (printed === null) return failure('start-up', 'it runs no command that can be seen', null);
  const [line = ''] = printed.trim().split('\n');
  if (line !== '') {
    const text = `its start-up files print "${displayText(line).slice(0, 60)}", which scp and others stumble over`;
    return warning('start-up', text, 'have them print only where there is a terminal: [ -t 1 ] && …');
  }
  const text = `a command starts within ${Math.round(time)} ms`;
  if (time < slowStartUp) return ok('start-up', text);
  return warning('start-up', text, 'look for what is slow in ~/.bashrc, or what else its shell reads');
}

async function filesFinding(connection: SshConnection): Promise<Finding> {
  try {
    const files = await connection.files();
    return ok('sftp', `it works; the home folder is ${displayText(await files.realpath('.'))}`);
  } catch (error) {
    const fix = 'let sshd_config have: Subsystem sftp internal-sftp';
    return failure('sftp', (error as Error).message.replace(/\.$/, ''), fix);
  }
}

function newMark(): string {
  return `vbatch-check-${randomBytes(8).toString('hex')}`;
}

/** What comes before the mark, or null where that does not come. Closes the channel. */
async function textBefore(channel: SshChannel, mark: string, patience: number): Promise<string | null> {
  const found = new Promise<string | null>((resolve) => {
    let bytes = Buffer.alloc(0);
    channel.stdout.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      const at = bytes.indexOf(mark);
      if (at >= 0) resolve(decodeBytes(bytes.subarray(0, at)));
    });
    void channel.closed.then(() => resolve(null));
  });
  const text = await Promise.race([found, sleep(patience, null)]);
  channel.close();
  return text;
}
