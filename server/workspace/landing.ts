/**
 * How what a run made comes into the folder that it was submitted from. A person works there meanwhile, so
 * nothing is removed, and nothing that the person has touched is overwritten: both are kept. Pure.
 */
import {
  apply,
  type Change,
  diff,
  type Entry,
  type FileEntry,
  folderEntry,
  type LinkEntry,
  type Manifest,
  sameEntry,
} from './manifest.ts';
import { foldersOf, isGitPath, withSuffix } from './paths.ts';

export interface Write {
  readonly path: string;
  readonly entry: Entry;
  /** What is there and has to give way. Whoever writes makes sure that it still is what is there. */
  readonly replaces: FileEntry | LinkEntry | null;
}

export interface Landing {
  /** Folders before what is in them. */
  readonly writes: Write[];
  /** What is written under another name, because a person's own is at `path`. With a folder goes all in it. */
  readonly aside: { path: string; copy: string }[];
  /** What stays out, and why, as a clause: `it belongs to git`, where what is there can have commands run. */
  readonly withheld: { path: string; why: string }[];
  /** The `base` for what lands next. */
  readonly base: Manifest;
}

/**
 * @param base what the run and the folder agreed on last: the snapshot, or `Landing.base`
 * @param local what the folder holds now, at least at all paths that matter here
 * @param result what the run's manifest is now
 * @param suffix for the names of what is put aside: `NAME.SUFFIX`
 * @param isPathHere whether a file of this system can have this path
 */
export function land(
  base: Manifest,
  local: Manifest,
  result: Manifest,
  suffix: string,
  isPathHere: (path: string) => boolean,
): Landing {
  const writes: Write[] = [];
  const aside: Landing['aside'] = [];
  const withheld: Landing['withheld'] = [];
  const agreed: Change[] = [];
  /** By path of the result, where it goes instead. */
  const moved = new Map<string, string>();
  const taken = new Set<string>();

  const putAside = (path: string, target: string, entry: Entry): string => {
    const isFree = (copy: string) => {
      if (taken.has(copy) || result.has(copy)) return false;
      const there = local.get(copy);
      const isOurs = there?.kind !== 'folder' && sameEntry(there, base.get(copy));
      return there === undefined || sameEntry(there, entry) || (isOurs && entry.kind !== 'folder');
    };
    let copy = withSuffix(target, suffix);
    for (let number = 2; !isFree(copy); number++) copy = withSuffix(target, `${suffix}.${number}`);
    taken.add(copy);
    moved.set(path, copy);
    aside.push({ path, copy });
    return copy;
  };

  const write = (path: string, entry: Entry) => {
    agreed.push({ path, entry });
    const there = local.get(path);
    if (there?.kind === 'folder' || sameEntry(there, entry)) return;
    writes.push({ path, entry, replaces: there ?? null });
  };

  for (const { path, entry } of diff(base, result)) {
    if (entry === null) continue;
    agreed.push({ path, entry });
    const why = isGitPath(path)
      ? 'it belongs to git'
      : isPathHere(path)
        ? null
        : 'no file of this system can have that name';
    if (why !== null) {
      withheld.push({ path, why });
      continue;
    }
    // Something of the person's may have taken the place of a folder that the run did not change.
    for (const folder of [...foldersOf(path)].reverse()) {
      const there = local.get(relocated(folder, moved));
      if (there === undefined || there.kind === 'folder') continue;
      write(putAside(folder, relocated(folder, moved), folderEntry), folderEntry);
    }
    const target = relocated(path, moved);
    write(mayTake(target, entry, base, local) ? target : putAside(path, target, entry), entry);
  }
  return { writes, aside, withheld, base: apply(base, agreed) };
}

/** Whether this entry may come to this path: what is there is nothing, the same, or untouched and no loss. */
function mayTake(path: string, entry: Entry, base: Manifest, local: Manifest): boolean {
  const there = local.get(path);
  if (there === undefined || sameEntry(there, entry)) return true;
  return there.kind !== 'folder' && entry.kind !== 'folder' && sameEntry(there, base.get(path));
}

function relocated(path: string, moved: ReadonlyMap<string, string>): string {
  const own = moved.get(path);
  if (own !== undefined) return own;
  for (const folder of foldersOf(path)) {
    const to = moved.get(folder);
    if (to !== undefined) return to + path.slice(folder.length);
  }
  return path;
}
