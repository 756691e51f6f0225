/** What differs between what two runs began with, or one and its folder as it is now. */
import { readFile } from 'node:fs/promises';
import type { State } from '../../model/state.ts';
import type { Task } from '../../model/task.ts';
import { encodeBytes } from '../../protocol/bytes.ts';
import type { DiffedFile, FileChange, FileSide, RunDiff } from '../../protocol/runs.ts';
import { type Entry, type Manifest, sameEntry } from '../../workspace/manifest.ts';
import { fileEntry } from '../../workspace/place.ts';
import type { ContentStore } from '../../workspace/store.ts';
import { keepFresh, type TreeParts } from './parts.ts';
import { changesBetween, runWithTree } from './runFiles.ts';
import type { Snapshots } from './snapshots.ts';

/** A larger file is named only, and so is what comes after that much of all. Bytes. */
const largest = 1024 * 1024;
const most = 32 * 1024 * 1024;
/** git looks for NUL in as many bytes to tell what is no text. */
const headOfText = 8_000;

/**
 * @param other the other run; null for the folder of this one as it is now
 * @param withContents whether both sides of each file are told, as far as they are text
 */
export async function runDiff(
  parts: TreeParts,
  snapshots: Snapshots,
  task: Task,
  other: Task | null,
  withContents: boolean,
): Promise<RunDiff> {
  const release = keepFresh(parts);
  try {
    return await compare(parts, snapshots, task, other, withContents);
  } finally {
    release();
  }
}

async function compare(
  { core, manifests, store }: TreeParts,
  snapshots: Snapshots,
  task: Task,
  other: Task | null,
  withContents: boolean,
): Promise<RunDiff> {
  const { run, tree } = runWithTree(task);
  const here = await manifests.load(tree.first);
  const withSides = (changes: FileChange[], there: Manifest) =>
    withContents ? sidesOf(store, changes, here, there) : changes;
  if (other === null) {
    const { manifest } = await snapshots.take(tree.folder, here.has('.git'));
    const own = await manifests.load(tree.manifest);
    // What the run has brought is no edit of a person's.
    const isRuns = (path: string) => {
      const [entry, known] = [manifest.get(path), own.get(path)];
      return sameEntry(entry?.kind === 'file' ? fileEntry(entry, [known]) : entry, known);
    };
    const changes = changesBetween(here, manifest).filter(
      ({ path, change }) => change !== 'none' && !isRuns(path),
    );
    const files = await withSides(changes, manifest);
    return { id: run.id, with: null, files, command: null, environment: [] };
  }
  const there = runWithTree(other);
  const manifest = await manifests.load(there.tree.first);
  const changes = changesBetween(here, manifest).filter(({ change }) => change !== 'none');
  const isSame = run.spec.command.join('\0') === there.run.spec.command.join('\0');
  return {
    id: run.id,
    with: there.run.id,
    files: await withSides(changes, manifest),
    command: isSame ? null : { here: run.spec.command, there: there.run.spec.command },
    environment: environmentDiff(core.state, run, there.run),
  };
}

function environmentDiff(state: State, a: Task, b: Task): RunDiff['environment'] {
  const [here, there] = [a, b].map(({ spec }) => ({
    ...state.environments.get(spec.environment)?.set,
    ...spec.variables,
  }));
  const names = [...new Set([...Object.keys(here ?? {}), ...Object.keys(there ?? {})])].sort();
  return names
    .map((name) => ({ name, here: here?.[name] ?? null, there: there?.[name] ?? null }))
    .filter((each) => each.here !== each.there);
}

async function sidesOf(
  store: ContentStore,
  changes: readonly FileChange[],
  here: Manifest,
  there: Manifest,
): Promise<DiffedFile[]> {
  let left = most;
  const side = async (entry: Entry | undefined): Promise<FileSide | null> => {
    if (!entry || entry.kind === 'folder') return null;
    if (entry.kind === 'link')
      return { mode: '120000', data: encodeBytes(entry.target).toString('base64'), size: 0 };
    const { hash, size, executable } = entry;
    const mode = executable ? '100755' : '100644';
    if (size > Math.min(largest, left)) return { mode, size, data: null };
    left -= size;
    const bytes = await readFile(store.pathOf(hash)).catch(() => Promise.reject(store.missing(hash)));
    const isText = !bytes.subarray(0, headOfText).includes(0);
    return { mode, size, data: isText ? bytes.toString('base64') : null };
  };
  const files: DiffedFile[] = [];
  for (const change of changes) {
    const [before, after] = [await side(here.get(change.path)), await side(there.get(change.path))];
    files.push({ ...change, here: before, there: after });
  }
  return files;
}
