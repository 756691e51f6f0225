/** The folder that a host keeps: what lies where. All of it belongs to its owner alone. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { scripts, scriptsVersion } from './agent/scripts.ts';
import type { AttemptKey, LogStream } from './host.ts';

export interface HostPaths {
  folder: string;
  /** The scripts of this version. */
  scripts: string;
  /** What attempts get first on PATH. */
  bin: string;
  /** Environments to source, named by their contents. */
  environments: string;
  /** Requests of nested calls, in a folder for each attempt. */
  calls: string;
  /** Where the names of an attempt's files begin; see attempt.sh for what follows. */
  attempt(key: AttemptKey): string;
  log(key: AttemptKey, stream: LogStream): string;
}

export function hostPaths(folder: string): HostPaths {
  const versioned = join(folder, scriptsVersion);
  const attempt = (key: AttemptKey) =>
    join(folder, 'tasks', String(Math.floor(Number.parseInt(key, 10) / 1000)), key);
  return {
    folder,
    scripts: versioned,
    bin: join(versioned, 'bin'),
    environments: join(folder, 'env'),
    calls: join(folder, 'calls'),
    attempt,
    log: (key, stream) => `${attempt(key)}.${stream === 'stdout' ? 'out' : 'err'}`,
  };
}

/** What follows the key in the names of an attempt's files. */
const attemptSuffixes = ['run', 'out', 'err', 'exit', 'stop', 'order', 'setup', 'start'];
/** An environment that no server has written for this long is removed. Milliseconds. */
const environmentAge = 24 * 3600 * 1000;

/**
 * Makes the folder ready for an agent. Answers with its cookie: chosen once for each folder, it
 * marks the processes of its attempts, so that no other state folder's are ever touched.
 */
export async function prepareFolder(paths: HostPaths): Promise<string> {
  await mkdir(paths.environments, { recursive: true, mode: 0o700 });
  await installScripts(paths);
  await removeOldEnvironments(paths.environments);
  const file = join(paths.folder, 'id');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (/^[0-9a-f]{24}$/.test(known)) return known;
  const cookie = randomBytes(12).toString('hex');
  await writeWhole(file, cookie, 0o600);
  return cookie;
}

async function installScripts(paths: HostPaths): Promise<void> {
  for (const [name, text] of Object.entries(scripts)) {
    const path = join(paths.scripts, name);
    const present = await readFile(path, 'utf8').catch(() => '');
    if (present === text) continue;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWhole(path, text, 0o700);
  }
}

let written = 0;

/** Writes a file that is never seen half written, even by another writer of the same. */
export async function writeWhole(path: string, contents: string | Buffer, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.${++written}.new`;
  await writeFile(temporary, contents, { mode });
  await rename(temporary, path);
}

/** Each server writes the environments it needs anew, so old ones are needed by no attempt to come. */
async function removeOldEnvironments(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > environmentAge) await rm(path, { force: true });
  }
}

/** Removes all files of an attempt. */
export async function removeAttempt(paths: HostPaths, key: AttemptKey): Promise<void> {
  await Promise.all([
    ...attemptSuffixes.map((suffix) => rm(`${paths.attempt(key)}.${suffix}`, { force: true })),
    rm(join(paths.calls, key), { recursive: true, force: true }),
  ]);
}
