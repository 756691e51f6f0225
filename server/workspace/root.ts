/** Which folder travels with what is submitted. */
import { lstat, readFile, realpath } from 'node:fs/promises';
import path, { dirname, join, type PlatformPath } from 'node:path';

export type WorkspaceRoot =
  | { readonly folder: string }
  /** Nothing travels. Why, as the end of a sentence that begins with the folder. */
  | { readonly folder: null; readonly why: string };

/**
 * The nearest folder that `directory` is in: one of those that somebody has opened, or the top of a git
 * repository; else `directory` itself. Never the home folder or what that is in: they hold everything that
 * somebody has.
 *
 * @param directory absolute path: where something is submitted
 * @param opened absolute paths, such as the folders of an editor
 */
export async function workspaceRoot(
  directory: string,
  opened: readonly string[],
  home: string,
): Promise<WorkspaceRoot> {
  const start = await real(directory);
  const [tops, homeFolder] = [new Set(await Promise.all(opened.map(real))), await real(home)];
  const isTooMuch = (folder: string) => folder === dirname(folder) || isIn(homeFolder, folder);
  for (let folder = start; !isTooMuch(folder); folder = dirname(folder)) {
    if (tops.has(folder) || (await isRepository(folder))) return { folder };
  }
  if (!isTooMuch(start)) return { folder: start };
  const why = start === homeFolder ? 'is the home folder' : 'holds more than one project can need';
  return { folder: null, why: `${why}, so nothing of it travels: submit from a folder in it` };
}

/** Whether this is the folder or within it, both absolute. On Windows case does not matter, and drives are apart. */
export function isIn(
  inner: string,
  folder: string,
  { isAbsolute, relative, sep }: PlatformPath = path,
): boolean {
  const way = relative(folder, inner);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The path without links, or as it is where that cannot be found. */
async function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** Whether git would see a repository here: a folder `.git` with a HEAD, or a file that says where one is. */
async function isRepository(folder: string): Promise<boolean> {
  const git = join(folder, '.git');
  try {
    if ((await lstat(git)).isFile()) return (await readFile(git, 'utf8')).startsWith('gitdir: ');
    await lstat(join(git, 'HEAD'));
    return true;
  } catch {
    return false;
  }
}
