/** Which file on this machine a path means that a task has printed. */
import { isAbsolute, join, normalize, sep } from 'node:path';

/** Where the task that printed it runs. */
export interface Surroundings {
  /** Folder on this machine from which it was submitted. */
  readonly directory: string;
  /** It ran on another machine, in a copy of that folder or in a folder of that machine. */
  readonly elsewhere: boolean;
  /** Folders that are open in the window. */
  readonly folders: readonly string[];
}

/** Files that may be meant, the likeliest first. Whether they exist is not known here. */
export function candidates(path: string, { directory, elsewhere, folders }: Surroundings): string[] {
  const roots = [directory, ...folders.filter((folder) => isInside(directory, folder)), ...folders];
  if (!isAbsolute(path)) return unique(roots.map((root) => join(root, path)));
  const here = normalize(path);
  if (!elsewhere) return [here];
  // In a copy of the folder the path ends as it does here. The more of it does, the surer it is.
  const parts = here.split(sep).filter((part) => part !== '');
  const tails = parts.slice(1).map((_, i) => parts.slice(i + 1).join(sep));
  const copies = tails.flatMap((tail) => roots.map((root) => join(root, tail)));
  const isOwn = roots.some((root) => isInside(here, root));
  return unique(isOwn ? [here, ...copies] : copies);
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
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
      if (await this.exists(candidate)) return candidate;
    }
    return null;
  }
}
