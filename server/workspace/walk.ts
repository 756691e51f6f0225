/** Finds what of a folder travels, without reading any file of it but those that say what to leave out. */

import { Breather } from './breather.ts';
import { type Disk, type FoundFile, fromLatin1, type Listed, type Listing } from './disk.ts';
import { errorCode } from './failures.ts';
import { decidersOf, rulesOfFolder, rulesOfWorkspace } from './folderRules.ts';
import type { Decision, Rules } from './ignore.ts';
import { byPath, within } from './paths.ts';
import { Stamps } from './stamps.ts';

/** Something that a person should know of a path. */
export interface Note {
  readonly path: string;
  /** What follows the path in a sentence: `does not travel: it is a socket`. */
  readonly text: string;
  /** It is taken all the same. */
  readonly isTaken?: true;
}

export type WalkedFile = FoundFile & { readonly path: string };

export interface WalkedLink {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

export interface WalkedFolder {
  readonly kind: 'folder';
  readonly path: string;
  /** In the order of paths. */
  readonly entries: readonly (WalkedFile | WalkedLink | WalkedFolder)[];
  /** It is left out itself, so it is there only for what is in it. */
  readonly isOnTheWay: boolean;
}

/** Names of files that vbatch is writing, or was when it was ended. */
export const unfinished = /^\.vbatch-[0-9a-f]{16}\.part$/;

/** How often a folder is listed that is replaced by another one meanwhile. */
const TRIES = 3;
/** Folders to look at again together. */
const BATCH = 32;

/** A folder with what it takes to look at it again. */
interface Visited extends WalkedFolder {
  entries: (WalkedFile | WalkedLink | Visited)[];
  /** What decides on its names, given what is in it. Null within `.git`, where all is in. */
  readonly findRules: ((listed: readonly Listed[]) => Promise<Rules>) | null;
  rules: Rules | null;
  /** Of what is in it; null where that has to be looked at again. */
  digest: string | null;
  /** See `decidersOf`. */
  deciders: string | null;
  notes: Note[];
}

/** Goes through one folder again and again. Where little has changed since the last time, that takes little. */
export class Walker {
  #last: { top: Visited; stamps: Stamps } | null = null;
  #stamps: Stamps;

  /**
   * @param root absolute path
   * @param withGit whether `.git` travels
   */
  constructor(
    private readonly disk: Disk,
    private readonly root: string,
    private readonly withGit: boolean,
  ) {
    this.#stamps = new Stamps(disk);
  }

  /** @param onFile told of every file, so that whoever counts them can put an end to it by throwing */
  async walk(
    onFile: (path: string, size: number) => void,
  ): Promise<{ top: WalkedFolder; notes: readonly Note[] }> {
    const last = this.#last;
    // Whatever keeps this from its end has the next one begin anew.
    this.#last = null;
    const isAgain = last !== null && (await last.stamps.hold()) && (await this.#goOn(last, onFile));
    const top = isAgain ? last.top : await this.#begin(onFile);
    this.#last = { top, stamps: this.#stamps };
    const notes = [...foldersIn(top)].flatMap((folder) => folder.notes);
    return { top, notes: notes.sort((a, b) => byPath(a.path, b.path)) };
  }

  async #begin(onFile: (path: string, size: number) => void): Promise<Visited> {
    const stamps = new Stamps(this.disk);
    this.#stamps = stamps;
    const top = emptyFolder('', false, (listed) => rulesOfWorkspace(this.disk, this.root, stamps, listed));
    await this.#visitAll([top], onFile);
    return top;
  }

  /** Looks again at the folders in which something has changed. False where what decides on names has. */
  async #goOn({ top }: { top: Visited }, onFile: (path: string, size: number) => void): Promise<boolean> {
    const folders = [...foldersIn(top)];
    if (folders.some(({ deciders }) => deciders === null)) return false;
    const fresh: Visited[] = [];
    for (const folder of await this.#changed(folders)) {
      const listing = await this.#list(folder);
      if (decidersOf(listing.entries) !== folder.deciders) return false;
      for (const inner of await this.#fill(folder, listing)) fresh.push(inner);
    }
    const breather = new Breather();
    for (const { entries } of foldersIn(top)) {
      for (const entry of entries) {
        if (entry.kind !== 'folder') onFile(entry.path, sizeOf(entry));
        if (breather.isDue) await breather.rest();
      }
    }
    await this.#visitAll(fresh, onFile);
    return true;
  }

  async #changed(folders: readonly Visited[]): Promise<Visited[]> {
    const batches = Array.from({ length: Math.ceil(folders.length / BATCH) }, (_, index) =>
      folders.slice(index * BATCH, (index + 1) * BATCH),
    );
    const found = await Promise.all(
      batches.map(async (batch) => {
        const asked = batch.map(({ path, digest }) => ({
          path: within(this.root, path),
          digest: digest ?? '',
        }));
        const changed = await this.disk.changed(asked);
        return changed.map((index) => batch[index] as Visited);
      }),
    );
    return found.flat();
  }

  async #visitAll(folders: Visited[], onFile: (path: string, size: number) => void): Promise<void> {
    const breather = new Breather();
    await inParallel(folders, this.disk.workers * 2, async (folder) => {
      const listing = await this.#list(folder);
      folder.deciders = decidersOf(listing.entries);
      folder.rules = folder.findRules && (await folder.findRules(listing.entries));
      for (const inner of await this.#fill(folder, listing)) folders.push(inner);
      for (const entry of folder.entries) {
        if (entry.kind !== 'folder') onFile(entry.path, sizeOf(entry));
        if (breather.isDue) await breather.rest();
      }
    });
  }

  /** Puts into a folder what of this listing travels. Gives the folders in it that are new. */
  async #fill(folder: Visited, { entries, digest }: Listing): Promise<Visited[]> {
    const known = new Map(
      folder.entries.flatMap((entry) => (entry.kind === 'folder' ? [[entry.path, entry] as const] : [])),
    );
    const fresh: Visited[] = [];
    const breather = new Breather();
    folder.entries = [];
    folder.digest = digest;
    for (const entry of entries) {
      if (breather.isDue) await breather.rest();
      const { rules } = folder;
      const isGit = entry.name === '.git';
      if (entry.kind === 'gone' || (isGit && !this.withGit) || unfinished.test(entry.name)) continue;
      const decision = rules === null || isGit ? 'in' : rules.decide(entry.name, entry.kind === 'folder');
      if (decision === 'out') continue;
      const path = within(folder.path, fromLatin1(entry.name));
      switch (entry.kind) {
        case 'file':
          folder.entries.push({ ...entry, path });
          break;
        case 'link':
          folder.entries.push({ kind: 'link', path, target: fromLatin1(entry.target) });
          break;
        case 'folder': {
          const before = known.get(path);
          if (before?.isOnTheWay === (decision === 'through')) {
            folder.entries.push(before);
            break;
          }
          const inner = this.#enter(path, entry.name, isGit ? null : rules, decision);
          folder.entries.push(inner);
          fresh.push(inner);
          break;
        }
        case 'special':
          folder.notes.push({ path, text: `does not travel: it is a ${entry.what}` });
          break;
        case 'denied':
          folder.notes.push({ path, text: `does not travel: it cannot be read: ${entry.why}` });
          break;
      }
    }
    // They come in the order of their bytes, which mostly is that of paths.
    if (!isInOrder(folder.entries)) folder.entries.sort((a, b) => byPath(a.path, b.path));
    return fresh;
  }

  #enter(path: string, name: string, outer: Rules | null, decision: Decision): Visited {
    const stamps = this.#stamps;
    const place = within(this.root, path);
    const findRules =
      outer &&
      ((listed: readonly Listed[]) =>
        rulesOfFolder(this.disk, place, stamps, { name, outer, decision }, listed));
    return emptyFolder(path, decision === 'through', findRules);
  }

  /** What is in a folder now. Notes begin anew. */
  async #list(folder: Visited): Promise<Listing> {
    const { path } = folder;
    folder.notes = [];
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        const listing = await this.disk.list(within(this.root, path));
        if (listing) return listing;
      }
      folder.notes.push({ path, text: 'does not travel: it was replaced whenever it was read' });
    } catch (error) {
      const code = errorCode(error);
      // The workspace itself has to be readable.
      if (code === undefined || path === '') throw error;
      if (code !== 'ENOENT') folder.notes.push({ path, text: `does not travel: it cannot be read: ${code}` });
    }
    return { entries: [], digest: '' };
  }
}

function emptyFolder(path: string, isOnTheWay: boolean, findRules: Visited['findRules']): Visited {
  const unseen = { entries: [], rules: null, digest: null, deciders: null, notes: [] };
  return { kind: 'folder', path, isOnTheWay, findRules, ...unseen };
}

function* foldersIn(folder: Visited): Generator<Visited> {
  yield folder;
  for (const entry of folder.entries) if (entry.kind === 'folder') yield* foldersIn(entry);
}

function isInOrder(entries: readonly { path: string }[]): boolean {
  return entries.every(({ path }, index) => index === 0 || byPath(entries[index - 1]?.path ?? '', path) < 0);
}

function sizeOf(entry: WalkedFile | WalkedLink): number {
  return entry.kind === 'file' ? entry.size : 0;
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
