/** Finds what of a folder travels, without reading any file of it but those that say what to leave out. */

import { Breather } from './breather.ts';
import { type Disk, type FoundFile, fromLatin1, type Listed } from './disk.ts';
import { errorCode } from './failures.ts';
import { type Decision, type IgnoreFiles, Rules } from './ignore.ts';
import { byPath, within } from './paths.ts';
import { askGit } from './repository.ts';

/** Something that does not travel although nobody left it out. */
export interface Note {
  readonly path: string;
  /** As the end of a sentence that begins with the path: `is a socket`. */
  readonly why: string;
}

export interface WalkedFolder {
  readonly path: string;
  readonly files: (FoundFile & { path: string })[];
  readonly links: { path: string; target: string }[];
  readonly folders: WalkedFolder[];
  /** It is left out itself, so it is there only for what is in it. */
  readonly isOnTheWay: boolean;
}

/** Names of files that vbatch is writing, or was when it was ended. */
export const unfinished = /^\.vbatch-[0-9a-f]{16}\.part$/;

/** The longest ignore file that is read, in bytes. */
const LONGEST_IGNORE_FILE = 16 * 1024 * 1024;
/** How often a folder is listed that is replaced by another one meanwhile. */
const TRIES = 3;

interface Order {
  folder: WalkedFolder;
  /** What decides on its names. Null within `.git`, where all is in. */
  rules: ((listed: readonly Listed[]) => Promise<Rules>) | null;
}

/**
 * @param root absolute path
 * @param withGit whether `.git` travels
 * @param onFile told of every file, so that whoever counts them can put an end to it by throwing
 */
export async function walk(
  disk: Disk,
  root: string,
  withGit: boolean,
  onFile: (path: string, size: number) => void,
): Promise<{ top: WalkedFolder; notes: Note[] }> {
  const notes: Note[] = [];
  const breather = new Breather();
  const top = emptyFolder('', false);
  const orders: Order[] = [{ folder: top, rules: (listed) => rulesOfWorkspace(disk, root, listed) }];

  const enter = (path: string, name: string, rules: Rules | null, decision: Decision): WalkedFolder => {
    const folder = emptyFolder(path, decision === 'through');
    orders.push({
      folder,
      rules: rules && ((listed) => rulesOfFolder(disk, root, path, name, rules, decision, listed)),
    });
    return folder;
  };

  const take = (entry: Listed, folder: WalkedFolder, rules: Rules | null) => {
    const isGit = entry.name === '.git';
    if (entry.kind === 'gone' || (isGit && !withGit) || unfinished.test(entry.name)) return;
    const decision = rules === null || isGit ? 'in' : rules.decide(entry.name, entry.kind === 'folder');
    if (decision === 'out') return;
    const path = within(folder.path, fromLatin1(entry.name));
    switch (entry.kind) {
      case 'file':
        onFile(path, entry.size);
        folder.files.push({ ...entry, path });
        break;
      case 'link':
        onFile(path, 0);
        folder.links.push({ path, target: fromLatin1(entry.target) });
        break;
      case 'folder':
        folder.folders.push(enter(path, entry.name, isGit ? null : rules, decision));
        break;
      case 'special':
        notes.push({ path, why: `is a ${entry.what}` });
        break;
      case 'denied':
        notes.push({ path, why: `cannot be read: ${entry.why}` });
        break;
    }
  };

  await inParallel(orders, disk.workers * 2, async ({ folder, rules: find }) => {
    const listed = await list(disk, root, folder.path, notes);
    const rules = find && (await find(listed));
    for (const entry of listed) {
      take(entry, folder, rules);
      if (breather.isDue) await breather.rest();
    }
  });
  return { top, notes: notes.sort((a, b) => byPath(a.path, b.path)) };
}

function emptyFolder(path: string, isOnTheWay: boolean): WalkedFolder {
  return { path, files: [], links: [], folders: [], isOnTheWay };
}

async function list(disk: Disk, root: string, path: string, notes: Note[]): Promise<Listed[]> {
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const listed = await disk.list(within(root, path));
      if (listed) return listed;
    }
    notes.push({ path, why: 'was replaced whenever it was read' });
  } catch (error) {
    const code = errorCode(error);
    // The workspace itself has to be readable.
    if (code === undefined || path === '') throw error;
    if (code !== 'ENOENT') notes.push({ path, why: `cannot be read: ${code}` });
  }
  return [];
}

async function rulesOfWorkspace(disk: Disk, root: string, listed: readonly Listed[]): Promise<Rules> {
  const repository = await askGit(disk, root);
  const depth = repository.prefix === '' ? 0 : repository.prefix.split('/').length;
  const outer = await Promise.all(
    Array.from({ length: depth }, (_, index) =>
      disk.read(`${root}/${'../'.repeat(depth - index)}.gitignore`, LONGEST_IGNORE_FILE),
    ),
  );
  return Rules.ofWorkspace(repository, outer, await ignoreFiles(disk, root, listed));
}

async function rulesOfFolder(
  disk: Disk,
  root: string,
  path: string,
  name: string,
  outer: Rules,
  decision: Decision,
  listed: readonly Listed[],
): Promise<Rules> {
  const folder = within(root, path);
  const files = await ignoreFiles(disk, folder, listed);
  const hasGit = listed.some((entry) => entry.name === '.git');
  const repository = hasGit ? await askGit(disk, folder) : null;
  // What is not at the top of a repository only looks like one.
  return outer.enter(name, decision, repository?.prefix === '' ? repository : null, files);
}

async function ignoreFiles(disk: Disk, folder: string, listed: readonly Listed[]): Promise<IgnoreFiles> {
  const readIf = (name: string) => {
    const isThere = listed.some((entry) => entry.name === name && entry.kind === 'file');
    return isThere ? disk.read(`${folder}/${name}`, LONGEST_IGNORE_FILE) : null;
  };
  const [git, vbatch] = await Promise.all([readIf('.gitignore'), readIf('.vbatchignore')]);
  return { git, vbatch };
}

/** Works on all orders, up to `width` at once, and on those that are added meanwhile. */
async function inParallel<T>(orders: T[], width: number, work: (order: T) => Promise<void>): Promise<void> {
  let active = 0;
  await new Promise<void>((resolve, reject) => {
    const next = () => {
      while (active < width) {
        const order = orders.pop();
        if (order === undefined) break;
        active += 1;
        work(order).then(
          () => {
            active -= 1;
            next();
          },
          (error: unknown) => {
            active = Number.POSITIVE_INFINITY;
            reject(error);
          },
        );
      }
      if (active === 0) resolve();
    };
    next();
  });
}
