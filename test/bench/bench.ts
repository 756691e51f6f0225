/** Where measurements take place: scratch folders, and private servers in them. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../server/client/client.ts';
import { connect, isAlive } from '../../server/client/launch.ts';
import type { SubmissionInput } from '../../server/protocol/tasks.ts';
import type { Surroundings } from './programs.ts';

/** A folder of our own, on a file system that the table names. */
export interface Place {
  readonly name: string;
  readonly folder: string;
}

/** A server with a state folder and a home of its own. */
export interface Machine extends Surroundings {
  readonly client: Client;
  readonly pid: number;
  /** Ends the server and waits until it is gone. Its folder stays. */
  stop(): Promise<void>;
  /** The same, without giving it the time to leave a snapshot. */
  kill(): Promise<void>;
}

/** See TMPFS_MAGIC in include/uapi/linux/magic.h. */
const tmpfs = 0x01021994;
const programs = ['vbatch', 'vrun', 'vctl'];

/** How often a folder that is still written to is removed, and the pause in between. */
const mostTries = 50;
const pauseMs = 100;

export class Bench {
  /** Where nothing is ever written to a disk, if there is such a place. */
  readonly memory: Place;
  readonly disk: Place;
  private readonly endings: (() => void)[] = [];
  private folders = 0;

  constructor() {
    this.disk = placeIn(isTmpfs(tmpdir()) ? ownFolder() : tmpdir());
    this.memory = isTmpfs('/dev/shm') ? placeIn('/dev/shm') : this.disk;
  }

  /** A fresh folder. */
  folder({ folder }: Place): string {
    this.folders += 1;
    const fresh = join(folder, String(this.folders));
    mkdirSync(fresh);
    return fresh;
  }

  /** Starts a server, with an empty state folder unless `folder` has a filled one named `state`. */
  async machine(place: Place, folder = this.folder(place)): Promise<Machine> {
    const home = join(folder, 'state');
    const env = environmentIn(folder);
    const serverFile = resolve('dist/server.cjs');
    const client = await connect(home, env, { start: true, serverFile, version: null });
    const { pid } = await client.server();
    // Once it is gone, its number may be somebody else's.
    let running = true;
    this.atEnd(() => running && process.kill(pid, 'SIGKILL'));
    const ended = async () => {
      client.close();
      while (isAlive(pid)) await sleep(5);
      running = false;
    };
    return {
      client,
      pid,
      env,
      cwd: join(folder, 'home'),
      async stop() {
        await client.stop();
        await ended();
      },
      async kill() {
        process.kill(pid, 'SIGKILL');
        await ended();
      },
    };
  }

  /** Has something done when all measurements are over, or one has failed. */
  atEnd(action: () => void): void {
    this.endings.push(action);
  }

  /** Leaves nothing behind, whatever the measurements have come to. */
  clear(): void {
    for (const end of this.endings) {
      try {
        end();
      } catch {
        // It has ended by itself.
      }
    }
    for (const { folder } of [this.memory, this.disk]) remove(folder);
  }
}

/** Ends what still runs of what was started from within a folder: that is named in its environment. */
function endAllOf(folder: string): void {
  const pids = existsSync('/proc/self/environ')
    ? readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    : [];
  for (const pid of pids) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'latin1').includes(folder))
        process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It is gone, or not ours.
    }
  }
}

/** Removes a folder. What has just been ended may still write its own end there, and so is waited for. */
function remove(folder: string): void {
  for (let tries = 1; ; tries++) {
    endAllOf(folder);
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if (tries === mostTries) {
        console.error(`bench: ${folder} cannot be removed: ${(error as Error).message}`);
        return;
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}

function placeIn(parent: string): Place {
  return { name: isTmpfs(parent) ? 'tmpfs' : 'disk', folder: mkdtempSync(join(parent, 'vb-bench-')) };
}

/** Inside the package, where git ignores it. */
function ownFolder(): string {
  mkdirSync('.tmp', { recursive: true });
  return resolve('.tmp');
}

function isTmpfs(path: string): boolean {
  try {
    return statfsSync(path).type === tmpfs;
  } catch {
    return false;
  }
}

/**
 * A small environment, with the bundled programs and this Node first on PATH. Without
 * NODE_EXTRA_CA_CERTS, which costs every start of Node some 40 ms.
 */
function environmentIn(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  const home = join(folder, 'home');
  mkdirSync(bin, { recursive: true });
  mkdirSync(home, { recursive: true });
  for (const program of programs) {
    rmSync(join(bin, program), { force: true });
    symlinkSync(resolve('dist/cli', `${program}.cjs`), join(bin, program));
  }
  return {
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: home,
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    VBATCH_HOME: join(folder, 'state'),
    VBATCH_CONFIG: join(folder, 'config.yaml'),
  };
}

/** Submits one task and gives its id. Throws what refuses it. */
export async function submit(machine: Machine, task: Partial<SubmissionInput>): Promise<string> {
  const submission = { command: ['true'], directory: machine.cwd, ...task };
  const [result] = await machine.client.submit({ tasks: [submission] });
  if (result === undefined || 'error' in result) throw new Error(`not accepted: ${JSON.stringify(result)}`);
  return result.id;
}

/** Milliseconds since the epoch of one of a task's times. */
export function timeOf(text: string | null): number {
  if (text === null) throw new Error('the task has no such time yet');
  return Date.parse(text);
}

/** Megabytes of memory of a process: `VmRSS` is what it has now, `VmHWM` the most it ever had. */
export function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}
