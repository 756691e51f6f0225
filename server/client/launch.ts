/** Finds the server of a state folder, and starts it where none runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Discovery, readDiscovery, userConfigFile } from '../protocol/discovery.ts';
import { isErrorCode, VbatchError } from '../protocol/errors.ts';
import { type Readiness, readinessVariable } from '../readiness.ts';
import { Client } from './client.ts';
import { Transport } from './transport.ts';

export interface ConnectOptions {
  /** Start a server where none runs. */
  readonly start: boolean;
  /** The bundled server, for `process.execPath` to run. */
  readonly serverFile: string;
  /** Version that the server must have; null where any will do. */
  readonly version: string | null;
}

/** How long a server may take to load what it has stored. */
const readyMs = 60_000;
/** How long to wait for a server that holds the state folder to be ready, or gone, before starting again. */
const rivalMs = 1_000;
/** How often to start a server while another one holds the state folder. */
const maxStarts = 10;
/** How long a server that runs may take to say so. */
const answerMs = 10_000;
/** How many lines of the log of a server that failed are shown. */
const shownLines = 10;

/**
 * A client of the server of the state folder `home`; it looks for the server again when it loses it.
 * With `start`, a server is started where none is published or its process is gone; one whose
 * process lives is first asked by the first request. Throws `noServer` where there is none in the
 * end, `refused` where it has another version, or why it did not start.
 */
export async function connect(
  home: string,
  env: NodeJS.ProcessEnv,
  options: ConnectOptions,
): Promise<Client> {
  const find = () => findAgain(home, env, options);
  if (!options.start) return new Client(await find(), find);
  const published = readDiscovery(home);
  const isLikely = published !== null && isAlive(published.pid);
  return new Client(isLikely ? checked(published, options) : await start(home, env, options), find);
}

/** A server that was stopped has taken its discovery file along; one that died has left it. */
async function findAgain(home: string, env: NodeJS.ProcessEnv, options: ConnectOptions): Promise<Discovery> {
  const published = readDiscovery(home);
  if (published !== null && (await answers(published))) return checked(published, options);
  if (published === null || !options.start) {
    throw new VbatchError('noServer', `No vbatch server runs in ${home}; "vctl server start" starts one.`);
  }
  return await start(home, env, options);
}

function checked(discovery: Discovery, { version }: ConnectOptions): Discovery {
  if (version === null || discovery.version === version) return discovery;
  throw new VbatchError(
    'refused',
    `The server that runs is vbatch ${discovery.version} and this is ${version}; ` +
      'run "vctl server stop" and repeat the command (running tasks go on).',
  );
}

/** Whether a process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a published server runs. Its process id and its port may be somebody else's by now. */
async function answers(discovery: Discovery): Promise<boolean> {
  if (!isAlive(discovery.pid)) return false;
  const transport = new Transport(discovery, null);
  const signal = AbortSignal.timeout(answerMs);
  try {
    await transport.json('GET', '/v1/server', { signal, repeatable: true });
    return true;
  } catch {
    if (!signal.aborted) return false;
    const advice = `wait a moment, or end process ${discovery.pid} (running tasks go on)`;
    throw new VbatchError('noServer', `The vbatch server does not answer; ${advice}.`);
  } finally {
    transport.close();
  }
}

/** Starts a server. Of several that start at once one wins the state folder, and the others find it. */
async function start(home: string, env: NodeJS.ProcessEnv, options: ConnectOptions): Promise<Discovery> {
  for (let starts = 1; ; starts++) {
    const readiness = await launch(home, env, options.serverFile);
    // Another server holds the folder: it is about to publish itself, or about to end.
    const isHeld = 'error' in readiness && readiness.error.code === 'refused';
    if ('error' in readiness && (!isHeld || starts === maxStarts)) {
      const { code, message } = readiness.error;
      throw new VbatchError(isErrorCode(code) ? code : 'internal', message);
    }
    const winner = await published(home, rivalMs);
    if (winner !== null) return checked(winner, options);
    if (!isHeld) {
      throw new VbatchError(
        'noServer',
        `The vbatch server ended right after its start; ${logFile(home)} may say why.`,
      );
    }
  }
}

/** Runs a server in a session of its own, which outlives this process and its terminal. */
async function launch(home: string, env: NodeJS.ProcessEnv, serverFile: string): Promise<Readiness> {
  const { child, logStart } = spawnServer(home, env, serverFile);
  const pipe = child.stdio[3] as Readable;
  child.unref();
  try {
    const line = await firstLine(child, pipe);
    if (line !== null) return JSON.parse(line) as Readiness;
  } finally {
    pipe.destroy();
  }
  const lines = readFileSync(logFile(home)).subarray(logStart).toString('utf8').trimEnd().split('\n');
  const last = lines.slice(-shownLines).join('\n');
  throw new VbatchError(
    'noServer',
    `The vbatch server ended while it started; ${logFile(home)} ends with\n${last}`,
  );
}

function spawnServer(
  home: string,
  env: NodeJS.ProcessEnv,
  serverFile: string,
): { child: ChildProcess; logStart: number } {
  let log: number;
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    log = openSync(logFile(home), 'a', 0o600);
  } catch (error) {
    throw new VbatchError('noServer', `The state folder cannot be used: ${(error as Error).message}.`);
  }
  try {
    const logStart = fstatSync(log).size;
    const child = spawn(process.execPath, [serverFile], {
      cwd: home,
      detached: true,
      // On Windows a console of its own would be seen.
      windowsHide: true,
      stdio: ['ignore', log, log, 'pipe'],
      env: {
        ...withoutTask(env),
        VBATCH_HOME: home,
        // The server works in another folder, where a relative path would mean another file.
        ...(env.VBATCH_CONFIG && { VBATCH_CONFIG: userConfigFile(env) }),
        [readinessVariable]: '3',
        // Inside an editor, process.execPath is the editor unless this is set.
        ...(process.versions.electron !== undefined && { ELECTRON_RUN_AS_NODE: '1' }),
      },
    });
    return { child, logStart };
  } finally {
    closeSync(log);
  }
}

/**
 * An environment without what marks the processes of a task: a server started from inside one is none
 * of them, and must not end with the task when that is cancelled.
 */
function withoutTask(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isTasks = (name: string) => /^(VBATCH|VELDA)_/.test(name) && name !== 'VBATCH_CONFIG';
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isTasks(name)));
}

/** The line that the server writes when it is ready or gives up; null where it ends without one. */
function firstLine(child: ChildProcess, pipe: Readable): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const fail = (message: string) => {
      clearTimeout(timer);
      reject(new VbatchError('noServer', message));
    };
    const timer = setTimeout(() => {
      fail(
        `The vbatch server (process ${child.pid}) is not ready after ${readyMs / 1_000} s; try again later.`,
      );
    }, readyMs);
    let text = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (part: string) => {
      text += part;
    });
    pipe.once('close', () => {
      clearTimeout(timer);
      resolve(text === '' ? null : text);
    });
    pipe.on('error', () => {});
    child.once('error', (error) => fail(`The vbatch server cannot be started: ${error.message}.`));
  });
}

/** The server that publishes itself within this time, if one does. */
function published(home: string, milliseconds: number): Promise<Discovery | null> {
  return new Promise((resolve) => {
    const finish = (found: Discovery | null) => {
      clearTimeout(timer);
      watcher.close();
      resolve(found);
    };
    const look = () => {
      const found = readDiscovery(home);
      // A server that was killed leaves its file, and for a while perhaps its process id, behind.
      if (found !== null)
        answers(found).then(
          (runs) => runs && finish(found),
          () => {},
        );
    };
    const watcher = watch(home, look);
    // Where the folder cannot be watched, the time simply runs out and a new start looks again.
    watcher.on('error', () => {});
    const timer = setTimeout(() => finish(null), milliseconds);
    look();
  });
}

/** Where the server of a state folder writes its log. */
export function logFile(home: string): string {
  return join(home, 'server.log');
}
