/**
 * One server per state folder. A server that starts puts a claim into the lock folder: a socket on
 * which it already listens, under a name that is never used again. Then it looks at the claims of
 * others. One on which nobody listens is a dead server's, and anyone may remove it: under that name
 * there will never be a living one. Of two that start at once at least one sees the other, so there
 * are never two owners; among those that see each other the lowest name wins. A server that is
 * stopped or busy keeps its claim, because the kernel accepts connections for it. On Windows sockets are pipes, which
 * lie in no folder: a claim is an empty file there, made when its pipe listens.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VbatchError } from '../protocol/errors.ts';
import { errorCode, ioFailure } from './files.ts';

export interface Lock {
  /** Lets the next server in. */
  release(): Promise<void>;
}

/** What a living claim says when asked. */
interface Answer {
  pid: number;
  owner: boolean;
}

/** A socket's path has at most 103 bytes on macOS and 107 on Linux; a longer one is cut off silently. */
const LONGEST_PATH = 103;
/** A server that does not answer for so long is stopped or very busy. */
const PATIENCE_MILLISECONDS = 500;
const PAUSE_MILLISECONDS = 5;

/** Where this machine's claims begin: on a network file system another machine's cannot be asked. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
const claimName = /^[0-9a-f]{6}-[0-9a-f]{8}$/;

/** The pipe of a claim, where sockets lie in no folder. */
export type PipeOf = (claim: string) => string;

const windowsPipe: PipeOf = (claim) =>
  `\\\\.\\pipe\\vbatch-${createHash('sha256').update(claim.toLowerCase()).digest('hex')}`;

/**
 * Makes this process the only server of a state folder. Throws `refused` if there is another one.
 * @param pipeOf null where a claim is its own socket
 */
export async function acquireLock(
  folder: string,
  pipeOf: PipeOf | null = process.platform === 'win32' ? windowsPipe : null,
): Promise<Lock> {
  const claims = join(folder, 'lock');
  const name = `${machine}-${randomBytes(4).toString('hex')}`;
  const path = join(claims, name);
  if (pipeOf === null && Buffer.byteLength(path) > LONGEST_PATH) {
    throw new VbatchError(
      'configuration',
      `The path of the state folder is too long for a socket in it: ${path} has more than ${LONGEST_PATH} bytes. Set VBATCH_HOME to a shorter one.`,
    );
  }
  const answer: Answer = { pid: process.pid, owner: false };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.unref();
    socket.end(JSON.stringify(answer));
  });
  const release = async () => {
    await rm(path, { force: true });
    server.close();
  };
  try {
    await mkdir(claims, { recursive: true, mode: 0o700 });
    if (pipeOf === null) {
      const unready = join(claims, `new----${name.slice(-8)}`);
      await listen(server, unready);
      await rename(unready, path);
    } else {
      await listen(server, pipeOf(path));
      await writeFile(path, '');
    }
    while (await mustWait(folder, claims, name, pipeOf)) await sleep(PAUSE_MILLISECONDS);
    answer.owner = true;
    return { release };
  } catch (error) {
    // What went wrong first is worth telling; that nothing was there to take back is not.
    await release().catch(() => {});
    throw ioFailure(
      error,
      `Locking the state folder ${folder} failed`,
      'It must be in a writable folder of a file system that can hold sockets: set VBATCH_HOME to one.',
    );
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // The lock alone keeps no process running.
  server.unref();
}

/** Whether a claim that will give way is still there. Throws `refused` if one will not. */
async function mustWait(
  folder: string,
  claims: string,
  own: string,
  pipeOf: PipeOf | null,
): Promise<boolean> {
  const others = (await readdir(claims)).filter((name) => claimName.test(name) && name !== own);
  let wait = false;
  for (const name of others) {
    const path = join(claims, name);
    if (!name.startsWith(machine)) throw heldElsewhere(path);
    const answer = await (pipeOf === null ? ask(path, 'leaving') : ask(pipeOf(path), 'dead'));
    if (answer === 'dead') await rm(path, { force: true });
    else if (answer === 'leaving') wait = true;
    else if (answer === 'silent' || answer.owner || name < own) throw held(folder, answer);
    else wait = true;
  }
  return wait;
}

/** @param absent what it means that there is no such socket */
async function ask(
  path: string,
  absent: 'dead' | 'leaving',
): Promise<Answer | 'dead' | 'leaving' | 'silent'> {
  return await new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    socket.setTimeout(PATIENCE_MILLISECONDS, () => {
      resolve('silent');
      socket.destroy();
    });
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('end', () => resolve(parseAnswer(text)));
    socket.on('error', (error) => {
      const code = errorCode(error);
      // A reset comes from a process that died with the question before it: the next one is refused.
      const meaning = { ENOENT: absent, ECONNRESET: 'leaving', ECONNREFUSED: 'dead' } as const;
      resolve(meaning[code as keyof typeof meaning] ?? 'silent');
    });
  });
}

/** One that ends before it has said everything is being taken back. */
function parseAnswer(text: string): Answer | 'leaving' {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return 'leaving';
  }
}

function held(folder: string, answer: Answer | 'silent'): VbatchError {
  const who =
    answer === 'silent'
      ? 'Another server, which does not answer at present,'
      : `Another server (process ${answer.pid})`;
  return new VbatchError(
    'refused',
    `${who} already uses the state folder ${folder}. Use that one, or stop it with "vctl server stop".`,
  );
}

function heldElsewhere(path: string): VbatchError {
  return new VbatchError(
    'refused',
    `A server on another machine uses this state folder, which both machines share. Stop it there with "vctl server stop"; if that machine is gone for good, remove ${path}. To have a server on each, set VBATCH_HOME to a folder of its own.`,
  );
}
