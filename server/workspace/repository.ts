/** What git knows of a folder beyond the `.gitignore` files in it. git itself is asked, where it is there. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { encodeBytes } from '../protocol/bytes.ts';
import { type Disk, fromLatin1 } from './disk.ts';
import { foldersOf } from './paths.ts';

export interface Repository {
  /** Path of the folder from the top of its repository; empty at the top, and without a repository. */
  readonly prefix: string;
  /** Contents of the exclude files that hold for all of it, the strongest first. */
  readonly excludes: readonly Uint8Array[];
  /** The tracked paths that patterns match, from the folder on. They travel all the same. */
  readonly tracked: ReadonlySet<string>;
  /** The folders that those are in. */
  readonly trackedFolders: ReadonlySet<string>;
}

/** Paths in what it gives have a character per byte. */
export async function askGit(disk: Disk, folder: string): Promise<Repository> {
  const quiet = ['-c', 'core.fsmonitor=false'];
  const [places, setting, tracked] = await Promise.all([
    disk.git(folder, ['rev-parse', '--show-prefix', '--git-path', 'info/exclude']),
    disk.git(folder, ['config', '--type=path', '--null', '--get', 'core.excludesFile']),
    disk.git(folder, [...quiet, 'ls-files', '-z', '--cached', '--ignored', '--exclude-standard']),
  ]);
  const isRepository = places.status === 0;
  const [prefix = '', exclude = ''] = isRepository ? places.output.split('\n') : ['', '.git/info/exclude'];
  const general = setting.status === 0 ? setting.output.replace(/\0$/, '') : defaultExcludes();
  const paths =
    isRepository && tracked.status === 0 ? tracked.output.split('\0').filter((path) => path !== '') : [];
  const files = await Promise.all(
    [exclude, general].map((file) =>
      readFile(encodeBytes(absolute(folder, fromLatin1(file)))).catch(() => null),
    ),
  );
  return {
    prefix: prefix.replace(/\/$/, ''),
    excludes: files.filter((contents) => contents !== null),
    tracked: new Set(paths),
    trackedFolders: new Set(paths.flatMap((path) => [...foldersOf(path)])),
  };
}

function absolute(folder: string, file: string): string {
  return file.startsWith('/') ? file : `${folder}/${file}`;
}

function defaultExcludes(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'git/ignore');
}
