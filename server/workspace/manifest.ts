/** What a folder holds, as a value, and how such values change. Pure. */
import { byPath, foldersOf, parentOf } from './paths.ts';

export interface FileEntry {
  readonly kind: 'file';
  /** SHA-256 of the contents, 64 hexadecimal digits. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

export interface LinkEntry {
  readonly kind: 'link';
  /** As it is written in the link. It may lead out of the folder, or nowhere. */
  readonly target: string;
}

export interface FolderEntry {
  readonly kind: 'folder';
}

export type Entry = FileEntry | LinkEntry | FolderEntry;

/**
 * By path, in the order of `byPath`. Every folder has an entry of its own, empty or not, and whatever an
 * entry is in is a folder: without that, nobody could tell a folder that was emptied from one removed.
 */
export type Manifest = ReadonlyMap<string, Entry>;

/** That a path now holds this, or with null that it holds nothing. */
export interface Change {
  readonly path: string;
  readonly entry: Entry | null;
}

/** A content that somebody wrote and that the run's manifest does not have any more at that path. */
export interface Conflict {
  readonly path: string;
  readonly lost: FileEntry | LinkEntry;
  /** What is there instead. */
  readonly kept: Entry | null;
}

export const folderEntry: FolderEntry = { kind: 'folder' };
export const emptyManifest: Manifest = new Map();

/** The manifest of these entries. Folders that they are in need not be among them. */
export function manifestOf(entries: Iterable<readonly [string, Entry]>): Manifest {
  return apply(
    emptyManifest,
    Array.from(entries, ([path, entry]) => ({ path, entry })),
  );
}

/** Whether two entries, or their absence, are the same. */
export function sameEntry(a: Entry | null | undefined, b: Entry | null | undefined): boolean {
  if (!a || !b) return !a === !b;
  switch (a.kind) {
    case 'file':
      return b.kind === 'file' && a.hash === b.hash && a.size === b.size && a.executable === b.executable;
    case 'link':
      return b.kind === 'link' && a.target === b.target;
    case 'folder':
      return b.kind === 'folder';
  }
}

/** What makes `to` out of `from`, in the order of paths. */
export function diff(from: Manifest, to: Manifest): Change[] {
  const changes: Change[] = [];
  for (const [path, entry] of to) {
    if (!sameEntry(from.get(path), entry)) changes.push({ path, entry });
  }
  for (const path of from.keys()) {
    if (!to.has(path)) changes.push({ path, entry: null });
  }
  return changes.sort((a, b) => byPath(a.path, b.path));
}

/**
 * The manifest after these changes, which `diff` gave, perhaps for another one. What is put at a path makes
 * folders of all that the path is in; a file or link that takes the place of a folder takes it with all that is
 * in it; a folder is removed only where nothing is left in it.
 */
export function apply(manifest: Manifest, changes: readonly Change[]): Manifest {
  return rewrite(manifest, changes).manifest;
}

/**
 * A run's manifest after a task has ended that began with `base`, while other tasks have made it `current`.
 * The later end wins. Whatever another task wrote meanwhile and is not there any more is a conflict.
 */
export function commit(
  base: Manifest,
  current: Manifest,
  changes: readonly Change[],
): { manifest: Manifest; conflicts: Conflict[] } {
  const { manifest, swept } = rewrite(current, changes);
  const conflicts: Conflict[] = [];
  for (const path of new Set([...changes.map((change) => change.path), ...swept])) {
    const lost = current.get(path);
    if (!lost || lost.kind === 'folder' || sameEntry(lost, base.get(path))) continue;
    const kept = manifest.get(path) ?? null;
    if (!sameEntry(lost, kept)) conflicts.push({ path, lost, kept });
  }
  return { manifest, conflicts: conflicts.sort((a, b) => byPath(a.path, b.path)) };
}

/** `swept` are the paths that had to give way to others. */
function rewrite(manifest: Manifest, changes: readonly Change[]): { manifest: Manifest; swept: string[] } {
  const draft = new Draft(manifest);
  const swept: string[] = [];
  const removedFolders: string[] = [];
  let hasClosed = false;

  const put = (path: string, entry: Entry) => {
    if (draft.get(path)?.kind === 'folder' && entry.kind !== 'folder') hasClosed = true;
    draft.set(path, entry);
  };

  for (const { path, entry } of changes) {
    if (entry === null) {
      if (draft.get(path)?.kind === 'folder') removedFolders.push(path);
      else draft.set(path, null);
      continue;
    }
    for (const folder of foldersOf(path)) {
      const there = draft.get(folder);
      if (there?.kind === 'folder') break;
      if (there) swept.push(folder);
      put(folder, folderEntry);
    }
    put(path, entry);
  }

  if (hasClosed) swept.push(...sweep(draft));
  if (removedFolders.length > 0) removeEmpty(draft, removedFolders);
  return { manifest: draft.finish(), swept };
}

/** A manifest with changes on top, so that few changes of a large one are cheap. */
class Draft {
  readonly #changes = new Map<string, Entry | null>();

  constructor(readonly before: Manifest) {}

  get(path: string): Entry | null {
    const change = this.#changes.get(path);
    return change === undefined ? (this.before.get(path) ?? null) : change;
  }

  set(path: string, entry: Entry | null): void {
    if (entry !== null || this.before.has(path)) this.#changes.set(path, entry);
    else this.#changes.delete(path);
  }

  /** In no order. */
  *paths(): Generator<string> {
    for (const path of this.before.keys()) {
      if (this.#changes.get(path) !== null) yield path;
    }
    for (const path of this.#changes.keys()) {
      if (!this.before.has(path)) yield path;
    }
  }

  finish(): Manifest {
    if (this.#changes.size === 0) return this.before;
    const added = [...this.#changes.keys()].filter((path) => !this.before.has(path)).sort(byPath);
    return added.length === 0 ? this.#replaced() : this.#merged(added);
  }

  #replaced(): Manifest {
    const next = new Map(this.before);
    for (const [path, entry] of this.#changes) {
      if (entry) next.set(path, entry);
      else next.delete(path);
    }
    return next;
  }

  #merged(added: readonly string[]): Manifest {
    const next = new Map<string, Entry>();
    const copy = (path: string) => {
      const entry = this.get(path);
      if (entry) next.set(path, entry);
    };
    let at = 0;
    for (const path of this.before.keys()) {
      for (let fresh = added[at]; fresh !== undefined && byPath(fresh, path) < 0; fresh = added[++at])
        copy(fresh);
      copy(path);
    }
    for (const fresh of added.slice(at)) copy(fresh);
    return next;
  }
}

/** Removes what is in something that is no folder any more. */
function sweep(draft: Draft): string[] {
  const swept: string[] = [];
  for (const path of draft.paths()) {
    for (const folder of foldersOf(path)) {
      if (draft.get(folder)?.kind === 'folder') continue;
      swept.push(path);
      break;
    }
  }
  for (const path of swept) draft.set(path, null);
  return swept;
}

/** Removes those of these folders that nothing is left in. */
function removeEmpty(draft: Draft, folders: readonly string[]): void {
  const children = new Map(folders.map((folder) => [folder, 0]));
  const count = (folder: string, change: number) => {
    const before = children.get(folder);
    if (before !== undefined) children.set(folder, before + change);
  };
  for (const path of draft.paths()) count(parentOf(path), 1);
  for (const folder of folders.toSorted(byPath).reverse()) {
    if (draft.get(folder)?.kind !== 'folder' || children.get(folder) !== 0) continue;
    draft.set(folder, null);
    count(parentOf(folder), -1);
  }
}
