/** Which log a document shows: an attempt of a task, as the path and the query of its address. */

export const logScheme = 'vbatch-log';

export interface LogAddress {
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
}

/** All logs lie below this folder, by which package.json knows their language. */
const folder = '/vbatch-log/';

/** Path and query of the address; the last part of the path is the title of the tab. */
export function addressParts({ id, attempt }: LogAddress): { path: string; query: string } {
  // A title tells attempts apart where there are several.
  const title = attempt === 1 ? id : `${id} #${attempt}`;
  return { path: `${folder}${title}`, query: `attempt=${attempt}` };
}

/** Null where this is no address of a log. */
export function parseAddress({ path, query }: { path: string; query: string }): LogAddress | null {
  const attempt = Number(/^attempt=([1-9]\d*)$/.exec(query)?.[1]);
  if (!path.startsWith(folder) || !Number.isSafeInteger(attempt)) return null;
  const title = path.slice(folder.length);
  const suffix = attempt === 1 ? '' : ` #${attempt}`;
  if (!title.endsWith(suffix) || title.length === suffix.length) return null;
  return { id: title.slice(0, title.length - suffix.length), attempt };
}
