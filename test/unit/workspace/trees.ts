/** The oracle: a folder as nested maps, changed one step at a time as a file system would be. */
import fc from 'fast-check';
import { type Change, type Entry, type Manifest, manifestOf } from '../../../server/workspace/manifest.ts';

export type Tree = Map<string, Tree | Exclude<Entry, { kind: 'folder' }>>;

const file = fc
  .record({ hash: fc.constantFrom('0'.repeat(64), '1'.repeat(64), '2'.repeat(64)), executable: fc.boolean() })
  .map(({ hash, executable }): Entry => ({ kind: 'file', hash, size: 3, executable }));
const link = fc.constantFrom('x', '../out').map((target): Entry => ({ kind: 'link', target }));
/** What may be at a path, files most often. */
export const entry: fc.Arbitrary<Entry> = fc.oneof(
  { weight: 5, arbitrary: file },
  { weight: 1, arbitrary: link },
  { weight: 2, arbitrary: fc.constant<Entry>({ kind: 'folder' }) },
);

/** Few names, so that trees meet; some sort around the slash, some stand for bytes. */
const name = fc.constantFrom('a', 'b', 'a-b', 'a b', '\udcff', 'é');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

/** Random manifests, small enough to be alike. */
export const manifest: fc.Arbitrary<Manifest> = fc
  .array(fc.tuple(path, entry), { maxLength: 10 })
  .map((entries) => manifestOfTree(treeOf(entries)));

/** What is left after putting these one after the other. */
export function treeOf(entries: readonly (readonly [string, Entry])[]): Tree {
  const tree: Tree = new Map();
  for (const [at, what] of entries) put(tree, at, what);
  return tree;
}

/** `mkdir -p` of what it is in, then writing it. A folder stays what it is where it is one. */
function put(tree: Tree, at: string, what: Entry): void {
  const names = at.split('/');
  const last = names.pop() as string;
  let folder = tree;
  for (const each of names) folder = folderAt(folder, each);
  if (what.kind === 'folder') folderAt(folder, last);
  else folder.set(last, what);
}

function folderAt(tree: Tree, at: string): Tree {
  const there = tree.get(at);
  if (there instanceof Map) return there;
  const made: Tree = new Map();
  tree.set(at, made);
  return made;
}

/** `rm` or `rmdir`. */
function remove(tree: Tree, at: string): void {
  const names = at.split('/');
  const last = names.pop() as string;
  let folder: Tree | undefined = tree;
  for (const each of names) {
    const next: Tree | Entry | undefined = folder?.get(each);
    folder = next instanceof Map ? next : undefined;
  }
  const there = folder?.get(last);
  if (!(there instanceof Map) || there.size === 0) folder?.delete(last);
}

export function copyTree(tree: Tree): Tree {
  return new Map([...tree].map(([at, what]) => [at, what instanceof Map ? copyTree(what) : what]));
}

/** Changes as a person would make them: first what goes, from the inmost, then what comes, then folders again. */
export function change(tree: Tree, changes: readonly Change[]): Tree {
  const changed = copyTree(tree);
  const isFolderThere = (at: string) =>
    at
      .split('/')
      .reduce<Tree | Entry | undefined>(
        (where, each) => (where instanceof Map ? where.get(each) : undefined),
        changed,
      ) instanceof Map;
  const removed = changes.filter((each) => each.entry === null);
  const folders = new Set(removed.filter(({ path: at }) => isFolderThere(at)));
  for (const { path: at } of removed.filter((each) => !folders.has(each))) remove(changed, at);
  for (const { path: at, entry: what } of changes) if (what) put(changed, at, what);
  for (const { path: at } of [...folders].reverse()) if (isFolderThere(at)) remove(changed, at);
  return changed;
}

/** All paths of a tree with what is there. */
export function entriesOf(tree: Tree, base = ''): [string, Entry][] {
  return [...tree].flatMap(([at, what]): [string, Entry][] => {
    const whole = base + at;
    return what instanceof Map
      ? [[whole, { kind: 'folder' }], ...entriesOf(what, `${whole}/`)]
      : [[whole, what]];
  });
}

/** The tree of a manifest, which holds an entry for every folder. */
export function treeOfManifest(from: Manifest): Tree {
  return treeOf([...from]);
}

/** By way of the tree, so that no path is in something that is no folder. */
export function manifestOfTree(tree: Tree): Manifest {
  return manifestOf(entriesOf(tree));
}
