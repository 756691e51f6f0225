/** What a person can ask about the workspace of a run. */
import { mkdir, readdir } from 'node:fs/promises';
import type { Task, Tree } from '../../model/task.ts';
import { systemPath } from '../../protocol/bytes.ts';
import { VbatchError } from '../../protocol/errors.ts';
import type { CheckoutAnswer, FileChange, RunFiles } from '../../protocol/runs.ts';
import { errorCode, ioFailure } from '../../workspace/failures.ts';
import { type Entry, type Manifest, sameEntry } from '../../workspace/manifest.ts';
import { byPath, isPathHere, withSuffix } from '../../workspace/paths.ts';
import { inOrder, NoLinks, place } from '../../workspace/place.ts';
import type { ContentStore } from '../../workspace/store.ts';
import type { TreeParts } from './parts.ts';

/** The run that a task is, with its workspace. Throws `refused` where it has none. */
export function runWithTree(task: Task): { run: Task; tree: Tree } {
  if (task.parent !== null) {
    const name = task.id.slice(0, task.id.indexOf('/'));
    throw new VbatchError('refused', `${task.id} is no run; its run is ${name}`);
  }
  if (task.tree !== null) return { run: task, tree: task.tree };
  const why =
    'no host was configured to which files travel when it was submitted, or its folder is none to take along';
  throw new VbatchError('refused', `${task.id} has no workspace: ${why}`);
}

export async function runFiles({ core, manifests }: TreeParts, task: Task, all: boolean): Promise<RunFiles> {
  const { run, tree } = runWithTree(task);
  const [first, now] = await Promise.all([manifests.load(tree.first), manifests.load(tree.manifest)]);
  const { state } = core;
  return {
    id: run.id,
    folder: tree.folder,
    files: changesBetween(first, now).filter(({ change }) => all || change !== 'none'),
    left: [...tree.left],
    lost: tree.lost.map(({ path, size, by }) => ({ path, size, by: state.tasks.get(by)?.id ?? '' })),
  };
}

export function changesBetween(before: Manifest, after: Manifest): FileChange[] {
  const changes: FileChange[] = [];
  for (const [path, entry] of after) {
    const old = before.get(path);
    const change = old === undefined ? 'new' : sameEntry(old, entry) ? 'none' : 'changed';
    changes.push({ path, kind: entry.kind, change, size: sizeOf(entry) });
  }
  for (const [path, entry] of before) {
    if (!after.has(path)) changes.push({ path, kind: entry.kind, change: 'removed', size: sizeOf(entry) });
  }
  return changes.sort((a, b) => byPath(a.path, b.path));
}

function sizeOf(entry: Entry): number {
  return entry.kind === 'file' ? entry.size : 0;
}

/** Writes the workspace into a new or empty folder, with what was lost beside what took its place. */
export async function checkOut(
  { manifests, store }: TreeParts,
  task: Task,
  directory: string,
  isFirst: boolean,
): Promise<CheckoutAnswer> {
  const { run, tree } = runWithTree(task);
  const manifest = await manifests.load(isFirst ? tree.first : tree.manifest);
  await makeEmpty(directory);
  let files = 0;
  let bytes = 0;
  const left: string[] = [];
  const write = async (path: string, entry: Entry) => {
    if (!(await mayPlace(store, directory, path, entry))) {
      left.push(path);
      return;
    }
    if (entry.kind !== 'folder') files += 1;
    bytes += sizeOf(entry);
  };
  const entries = Array.from(manifest, ([path, entry]) => ({ path, entry }));
  for (const { path, entry } of inOrder(entries)) await write(path, entry);
  if (!isFirst) {
    for (const [index, { path, hash, size }] of tree.lost.entries()) {
      const copy = withSuffix(path, `lost-${index + 1}`);
      if (hash !== null && !manifest.has(copy))
        await write(copy, { kind: 'file', hash, size, executable: false });
    }
  }
  return { id: run.id, files, bytes, left };
}

/** False where this system has no such file or link. */
async function mayPlace(
  store: ContentStore,
  directory: string,
  path: string,
  entry: Entry,
): Promise<boolean> {
  if (!isPathHere(path)) return false;
  try {
    if (await place(store, directory, path, entry, null)) return true;
  } catch (error) {
    if (error instanceof NoLinks) return false;
    throw error;
  }
  throw new VbatchError('refused', `${directory} was written to meanwhile; name another folder`);
}

async function makeEmpty(directory: string): Promise<void> {
  try {
    await mkdir(systemPath(directory), { recursive: true });
    if ((await readdir(systemPath(directory))).length === 0) return;
  } catch (error) {
    const isFile = errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOTDIR';
    if (!isFile) throw ioFailure(error, `Cannot write in ${directory}`, 'Name another folder.');
  }
  throw new VbatchError('refused', `${directory} is not empty; name a new folder`);
}
