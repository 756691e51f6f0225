/** Puts entries of a manifest into a folder: whole or not at all, and never through a link. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, open, rename, rm, symlink } from 'node:fs/promises';
import { systemPath } from '../protocol/bytes.ts';
import { VbatchError } from '../protocol/errors.ts';
import { fromLatin1, type Read } from './disk.ts';
import { errorCode, ioFailure } from './failures.ts';
import { type Entry, type FileEntry, type LinkEntry, sameEntry } from './manifest.ts';
import { foldersOf, isPathHere, isSafePath, parentOf, within } from './paths.ts';
import type { ContentStore } from './store.ts';

/** The system lets this user make no links, as Windows without its Developer Mode, or the file system has none. */
export class NoLinks extends VbatchError {}

/** The order in which to write: links last, for Windows makes one of another kind where it leads to a folder. */
export function inOrder<T extends { readonly entry: Entry }>(writes: readonly T[]): T[] {
  const isLink = ({ entry }: T) => entry.kind === 'link';
  return [...writes.filter((each) => !isLink(each)), ...writes.filter(isLink)];
}

/**
 * Writes an entry, and makes the folders that it is in. Gives false, and has written nothing, where something
 * else is in the way than what is to give way. Throws `VbatchError` where it cannot be written, `NoLinks` where that is
 * why.
 *
 * @param root absolute path of a folder
 * @param replaces what is there now; null for nothing. A folder that is there stays and is as good as a new one
 */
export async function place(
  store: ContentStore,
  root: string,
  path: string,
  entry: Entry,
  replaces: FileEntry | LinkEntry | null,
): Promise<boolean> {
  if (!isSafePath(path) || !isPathHere(path))
    throw new VbatchError('refused', `${JSON.stringify(path)} can be no file in ${root}.`);
  try {
    for (const folder of [...foldersOf(path)].reverse()) {
      if (!(await makeFolder(within(root, folder)))) return false;
    }
    const to = within(root, path);
    if (entry.kind === 'folder') return await makeFolder(to);
    const before = replaces && (await readExpected(store, to, replaces));
    if (replaces && !before) return false;
    return await write(store, within(root, parentOf(path)), to, entry, before);
  } catch (error) {
    const failed = `Cannot write ${within(root, path)}`;
    if (errorCode(error) === 'EPERM' && (error as NodeJS.ErrnoException).syscall === 'symlink') {
      const advice = 'links cannot be made there. On Windows, switch on its Developer Mode.';
      throw new NoLinks('refused', `${failed}: ${advice}`);
    }
    throw ioFailure(error, failed, 'Look at the permissions there.');
  }
}

/** False where something is there that is no folder. A link to one is none. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(systemPath(path));
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return (await lookAt(path))?.isDirectory() ?? false;
  }
}

/** What the system says of a path; null where nothing is there. */
async function lookAt(path: string): Promise<Stats | null> {
  try {
    return await lstat(systemPath(path));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * The entry of a file that was read. Windows has no bit for what may be executed, so there a file is the one of the
 * `known` that has its contents.
 */
export function fileEntry(
  { hash, size, executable }: Omit<FileEntry, 'kind'>,
  known: readonly (Entry | undefined)[],
  platform: NodeJS.Platform = process.platform,
): FileEntry {
  const same = known.find((entry): entry is FileEntry => entry?.kind === 'file' && entry.hash === hash);
  return platform === 'win32' && same ? same : { kind: 'file', hash, size, executable };
}

/** What was read at a path, if it is this; else null. */
async function readExpected(
  store: ContentStore,
  path: string,
  expected: FileEntry | LinkEntry,
): Promise<Read | null> {
  const [found] = await store.disk.hash([path]);
  if (found?.kind === 'file') return sameEntry(fileEntry(found, [expected]), expected) ? found : null;
  if (found?.kind !== 'link') return null;
  return sameEntry({ kind: 'link', target: fromLatin1(found.target) }, expected) ? found : null;
}

/** @param before what is to give way, or null where nothing is there */
async function write(
  store: ContentStore,
  folder: string,
  path: string,
  entry: FileEntry | LinkEntry,
  before: Read | null,
): Promise<boolean> {
  if (entry.kind === 'link' && before === null) return makeLink(entry, path);
  const draft = within(folder, `.vbatch-${randomBytes(8).toString('hex')}.part`);
  try {
    if (entry.kind === 'link') await symlink(systemPath(entry.target), systemPath(draft));
    else await copyTo(store, draft, entry, before && (await lookAt(path)));
    return await (before ? store.disk.exchange(draft, path, before) : appear(draft, path));
  } finally {
    await rm(systemPath(draft), { force: true });
  }
}

/** False where something is there. */
async function makeLink({ target }: LinkEntry, path: string): Promise<boolean> {
  try {
    await symlink(systemPath(target), systemPath(path));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function copyTo(
  store: ContentStore,
  draft: string,
  { hash, size, executable }: FileEntry,
  before: Stats | null,
): Promise<void> {
  // The umask has its say on a new file. One that takes another's place is as open to others as that was.
  const handle = await open(systemPath(draft), 'wx', executable ? 0o777 : 0o666);
  let fresh: Stats;
  try {
    fresh = await handle.stat();
  } finally {
    await handle.close();
  }
  const { mode } = before?.isFile() ? before : fresh;
  try {
    await copyFile(store.pathOf(hash), systemPath(draft), constants.COPYFILE_FICLONE);
  } catch (error) {
    throw errorCode(error) === 'ENOENT' ? store.missing(hash) : error;
  }
  const copied = await lookAt(draft);
  if (copied?.size !== size) {
    throw new VbatchError('stateFailed', `The content ${hash} in ${store.folder} is damaged. Submit again.`);
  }
  await chmod(systemPath(draft), withExecutable(mode & 0o777, executable));
}

function withExecutable(mode: number, executable: boolean): number {
  if (!executable) return mode & ~0o111;
  // Whoever may read it may run it.
  return (mode & 0o111) === 0 ? mode | ((mode & 0o444) >> 2) : mode;
}

/** Gives a draft its name, unless something has it. */
async function appear(draft: string, path: string): Promise<boolean> {
  try {
    await link(systemPath(draft), systemPath(path));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
  }
  // A file system without hard links, of which Windows says EISDIR.
  if (await lookAt(path)) return false;
  await rename(systemPath(draft), systemPath(path));
  return true;
}
