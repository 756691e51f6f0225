/** Where a folder of this machine is on a host. Pure. */

/** Folders here, and where the host has them. */
export type Places = readonly (readonly [here: string, there: string])[];

/** A path of Windows with slashes, which Windows understands as well; any other as it is. */
function slashed(path: string): string {
  return isOfWindows(path) ? path.replaceAll('\\', '/') : path;
}

function isOfWindows(path: string): boolean {
  return /^(?:[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** The path on the host; itself where none of the folders holds it. */
export function placeThere(places: Places, path: string): string {
  const here = places.map(([folder, there]) => [slashed(folder), there] as const);
  const there = moved(here, slashed(path));
  return there === slashed(path) ? path : there;
}

/** The path from a folder of this machine on; empty for the folder itself and for what is not in it. */
export function pathWithin(folder: string, path: string): string {
  const there = placeThere([[folder, '/']], path);
  return there === path ? '' : there.slice(1);
}

/** The path on this machine; itself where none of the folders holds it. */
export function placeHere(places: Places, path: string): string {
  return moved(
    places.map(([here, there]) => [there, slashed(here)] as const),
    path,
  );
}

function moved(places: Places, path: string): string {
  let found: { length: number; to: string } | null = null;
  for (const [folder, to] of places) {
    if (isIn(path, folder) && (found === null || folder.length > found.length))
      found = { length: folder.length, to };
  }
  if (found === null) return path;
  const rest = path.slice(found.length).replace(/^\/+/, '');
  return rest === '' ? found.to : `${found.to.replace(/\/+$/, '')}/${rest}`;
}

/** Windows tells no upper from lower case, and editors call a drive otherwise than it does. */
function isIn(path: string, folder: string): boolean {
  const [inner, outer] = isOfWindows(folder) ? [path.toLowerCase(), folder.toLowerCase()] : [path, folder];
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}
