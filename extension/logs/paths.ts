/** Which file on this machine a path means that a task has printed. */
import ownSystem, { join, type PlatformPath, posix, sep } from 'node:path';

/** A folder that is open in the window, by the name that it was opened by and with links in its path resolved. */
export interface OpenFolder {
  readonly path: string;
  readonly real: string;
}

/** Where the task that printed it runs. */
export interface Surroundings {
  /** Folder on this machine from which it was submitted. */
  readonly directory: string;
  /** Folder on this machine of whose files the run has copies on other hosts; null where none travels. */
  readonly workspace: string | null;
  /** It ran on another machine. */
  readonly elsewhere: boolean;
  readonly folders: readonly OpenFolder[];
}

/** A file in the folder that a host has for a run. */
const inTree = /\/runs\/[^/]+\/tree\/(.+)$/;
/** Libraries, whose files are not the person's, whatever they are called. */
const ofLibrary = /^\/(?:usr|lib\w*|opt|nix)\/|\/(?:site-packages|dist-packages|node_modules|python[\d.]+)\//;

/**
 * Files that may be meant, the likeliest first. Whether they exist is not known here.
 *
 * @param system how this machine writes paths. Others write them as Unix does.
 */
export function candidates(
  path: string,
  surroundings: Surroundings,
  system: PlatformPath = ownSystem,
): string[] {
  const { directory, workspace, elsewhere } = surroundings;
  const { join, sep } = system;
  const { isAbsolute, normalize } = elsewhere ? posix : system;
  const folders = surroundings.folders.map((folder) => folder.path);
  const roots = [directory, ...folders.filter((folder) => isInside(directory, folder, sep)), ...folders];
  if (!isAbsolute(path)) return unique(roots.map((root) => join(root, path)));
  const here = normalize(path);
  if (!elsewhere) return [here];
  const [, ofRun] = inTree.exec(here) ?? [];
  if (workspace !== null && ofRun !== undefined) return [join(workspace, ofRun)];
  const own = [...roots, ...(workspace === null ? [] : [workspace])].some((root) =>
    isInside(here, root, sep),
  );
  if (ofLibrary.test(here)) return own ? [here] : [];
  // A file system that is mounted somewhere else there: the path ends as it does here. The more of it does, the surer.
  const parts = here.split('/').filter((part) => part !== '');
  const tails = parts.slice(1).map((_, i) => parts.slice(i + 1).join('/'));
  const alike = tails.flatMap((tail) => roots.map((root) => join(root, tail)));
  return unique(own ? [here, ...alike] : alike);
}

/** The same file by the name of the open folder that it is in: VS Code knows files by their names. */
export function asOpened(path: string, folders: readonly OpenFolder[]): string {
  if (folders.some((folder) => isInside(path, folder.path, sep))) return path;
  const folder = folders.find(({ real }) => isInside(path, real, sep));
  return folder === undefined ? path : join(folder.path, path.slice(folder.real.length));
}

function isInside(path: string, folder: string, separator: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(separator) ? folder : folder + separator);
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)];
}

/** Finds the file that is meant, once for each path. */
export class PathFinder {
  private readonly found = new Map<string, Promise<string | null>>();

  /** @param exists whether there is such a file. */
  constructor(
    private readonly surroundings: Surroundings,
    private readonly exists: (path: string) => Promise<boolean>,
  ) {}

  /** Null where there is none. */
  find(path: string): Promise<string | null> {
    let finding = this.found.get(path);
    if (finding === undefined) {
      finding = this.look(path);
      this.found.set(path, finding);
    }
    return finding;
  }

  private async look(path: string): Promise<string | null> {
    for (const candidate of candidates(path, this.surroundings)) {
      if (await this.exists(candidate)) return asOpened(candidate, this.surroundings.folders);
    }
    return null;
  }
}
