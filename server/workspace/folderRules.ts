/** The ignore rules of folders, from the files in them and from git. */
import type { Disk, Listed } from './disk.ts';
import { type Decision, type IgnoreFiles, Rules } from './ignore.ts';
import { within } from './paths.ts';
import { askGit } from './repository.ts';
import { type Stamps, stampOf } from './stamps.ts';

/** The longest ignore file that is read, in bytes. */
const LONGEST = 16 * 1024 * 1024;
/** What decides on other names where it lies. */
const DECIDING = new Set(['.git', '.gitignore', '.vbatchignore']);

/** The same as long as what decides in a folder is; null where a change of it might not show. */
export function decidersOf(listed: readonly Listed[]): string | null {
  const stamps = listed.flatMap((entry) =>
    DECIDING.has(entry.name) ? [{ name: entry.name, stamp: stampOf(entry) }] : [],
  );
  return stamps.some(({ stamp }) => stamp === null)
    ? null
    : stamps.map(({ name, stamp }) => `${name} ${stamp}`).join('\n');
}

/** The rules of the workspace itself. What they depend on outside of it is noted. */
export async function rulesOfWorkspace(
  disk: Disk,
  root: string,
  stamps: Stamps,
  listed: readonly Listed[],
): Promise<Rules> {
  const repository = await askGit(disk, root, stamps);
  const depth = repository.prefix === '' ? 0 : repository.prefix.split('/').length;
  const paths = Array.from(
    { length: depth },
    (_, index) => `${root}/${'../'.repeat(depth - index)}.gitignore`,
  );
  await stamps.note(paths);
  const outer = await Promise.all(paths.map((path) => disk.read(path, LONGEST)));
  return Rules.ofWorkspace(repository, outer, await ignoreFiles(disk, root, listed));
}

/** The rules of a folder `name` in one that has the rules `outer`, where `decision` fell on it. */
export async function rulesOfFolder(
  disk: Disk,
  folder: string,
  stamps: Stamps,
  { name, outer, decision }: { name: string; outer: Rules; decision: Decision },
  listed: readonly Listed[],
): Promise<Rules> {
  const files = await ignoreFiles(disk, folder, listed);
  const hasGit = listed.some((entry) => entry.name === '.git');
  const repository = hasGit ? await askGit(disk, folder, stamps) : null;
  // What is not at the top of a repository only looks like one.
  return outer.enter(name, decision, repository?.prefix === '' ? repository : null, files);
}

async function ignoreFiles(disk: Disk, folder: string, listed: readonly Listed[]): Promise<IgnoreFiles> {
  const readIf = (name: string) => {
    const isThere = listed.some((entry) => entry.name === name && entry.kind === 'file');
    return isThere ? disk.read(within(folder, name), LONGEST) : null;
  };
  const [git, vbatch] = await Promise.all([readIf('.gitignore'), readIf('.vbatchignore')]);
  return { git, vbatch };
}
