/** What git knows of a folder beyond the `.gitignore` files in it. git itself is asked, where it is there. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { systemPath } from '../protocol/bytes.ts';
import { type Disk, fromLatin1 } from './disk.ts';
import { foldersOf } from './paths.ts';
import type { Stamps } from './stamps.ts';

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

/** Files of a repository that decide what git answers. */
const deciding = ['info/exclude', 'index', 'HEAD', 'config', 'config.worktree'];

/**
 * Paths in what it gives have a character per byte.
 *
 * @param stamps notes all that the answer depends on, but for the `.gitignore` files in the folder
 */
export async function askGit(disk: Disk, folder: string, stamps: Stamps): Promise<Repository> {
  await stamps.note(placesOfGit(folder));
  const [places, origins] = await Promise.all([
    disk.git(folder, ['rev-parse', '--show-prefix', ...deciding.flatMap((name) => ['--git-path', name])]),
    disk.git(folder, ['config', '--list', '--show-origin', '--name-only', '--null']),
  ]);
  const isRepository = places.status === 0;
  const [prefix = '', ...files] = isRepository ? places.output.split('\n') : ['', '.git/info/exclude'];
  const paths = files.filter((file) => file !== '').map((file) => absolute(folder, fromLatin1(file)));
  await stamps.note([...paths, ...settingsFiles(origins.output)]);

  // Few have that setting, and a process less is worth the look.
  const isSet = origins.output.split('\0').includes('core.excludesfile');
  const [setting, tracked] = await Promise.all([
    isSet ? disk.git(folder, ['config', '--type=path', '--null', '--get', 'core.excludesFile']) : null,
    disk.git(folder, [
      ...['-c', 'core.fsmonitor=false'],
      ...['ls-files', '-z', '--cached', '--ignored', '--exclude-standard'],
    ]),
  ]);
  const general =
    setting?.status === 0 ? fromLatin1(setting.output.replace(/\0$/, '')) : join(settingsFolder(), 'ignore');
  const excludes = [paths[0], absolute(folder, general)].filter((path) => path !== undefined);
  await stamps.note(excludes);
  const contents = await Promise.all(excludes.map((file) => readFile(systemPath(file)).catch(() => null)));
  const names = isRepository && tracked.status === 0 ? tracked.output.split('\0') : [];
  const inPatterns = names.filter((path) => path !== '');
  return {
    prefix: prefix.replace(/\/$/, ''),
    excludes: contents.filter((each) => each !== null),
    tracked: new Set(inPatterns),
    trackedFolders: new Set(inPatterns.flatMap((path) => [...foldersOf(path)])),
  };
}

/** Where git looks for the repository that a folder is in. */
function placesOfGit(folder: string): string[] {
  const places: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    places.push(join(at, '.git'), join(at, '.git/HEAD'));
    if (at === dirname(at)) return places;
  }
}

/** Where git's settings are, and where they would be. Those of the repository are among its own files. */
function settingsFiles(origins: string): string[] {
  const told = origins.split('\0').filter((origin) => origin.startsWith('file:'));
  return [
    ...told.map((origin) => fromLatin1(origin.slice('file:'.length))).filter((file) => isAbsolute(file)),
    '/etc/gitconfig',
    join(homedir(), '.gitconfig'),
    join(settingsFolder(), 'config'),
  ];
}

function absolute(folder: string, file: string): string {
  return isAbsolute(file) ? file : `${folder}/${file}`;
}

function settingsFolder(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'git');
}
