/** Ids of tasks in the text of a terminal. Pure. */

export interface Found {
  readonly start: number;
  readonly id: string;
}

/** A run's id ends in a dash and five characters or more; below it come segments. */
const idPattern = /[A-Za-z0-9._-]+-[0-9a-z]{5,7}(?:\/[A-Za-z0-9._-]+)*/g;

/** The ids in a line whose run is known. */
export function idsIn(line: string, isRun: (id: string) => boolean): Found[] {
  const found: Found[] = [];
  for (const match of line.matchAll(idPattern)) {
    // A sentence may end right behind an id.
    const id = match[0].replace(/[.-]+$/, '');
    if (isRun(id.split('/', 1)[0] ?? '')) found.push({ start: match.index, id });
  }
  return found;
}
