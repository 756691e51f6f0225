/** Which of a task's results come back (`--output`, `max_output`), and which stay on their host. Pure. */
import type { Change, FileEntry, Manifest } from '../../workspace/manifest.ts';
import { wildmatch } from '../../workspace/wildmatch.ts';

export interface Choice {
  /** What is asked for, each with the directory that it is relative to; null for everything. */
  readonly outputs: readonly { globs: readonly string[]; directory: string }[] | null;
  /** Most bytes that come. */
  readonly most: number;
}

export interface Chosen {
  readonly come: Change[];
  readonly stay: Change[];
}

/** Files that the run has already always come: they are the code and the data of later tasks. */
export function choose(changes: readonly Change[], holds: Manifest, { outputs, most }: Choice): Chosen {
  const files = changes.filter(
    (change): change is Change & { entry: FileEntry } => change.entry?.kind === 'file',
  );
  const stay = new Set<Change>();
  let bytes = 0;
  // The small ones first: many results weigh more than a large one.
  for (const change of files.toSorted((a, b) => a.entry.size - b.entry.size)) {
    const isWanted =
      outputs === null || holds.has(change.path) || outputs.some((each) => matches(each, change.path));
    if (isWanted && bytes + change.entry.size <= most) bytes += change.entry.size;
    else stay.add(change);
  }
  return { come: changes.filter((change) => !stay.has(change)), stay: [...stay] };
}

/** A glob with a slash is a path from the task's directory, one without is a name anywhere below it. */
function matches(
  { globs, directory }: { globs: readonly string[]; directory: string },
  path: string,
): boolean {
  const inner =
    directory === '' ? path : path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : null;
  if (inner === null) return false;
  return globs.some((glob) => {
    const text = glob.replace(/^\.\//, '').replace(/\/$/, '/**');
    if (!text.includes('/')) return inner.split('/').some((name) => wildmatch(text, name, false));
    return wildmatch(text, inner, true);
  });
}
