/** Where a folder of this machine is on a host. Pure. */

/** Folders here, and where the host has them. */
export type Places = readonly (readonly [here: string, there: string])[];

/** A path of Windows with slashes, which Windows understands as well; any other as it is. */
function slashed(path: string): string {
  return /^(?:[A-Za-z]:|\\)\\/.test(path) ? path.replaceAll('\\', '/') : path;
}

/** The path on the host; itself where none of the folders holds it. */
export function placeThere(places: Places, path: string): string {
  const here = places.map(([folder, there]) => [slashed(folder), there] as const);
  const there = moved(here, slashed(path));
  return there === slashed(path) ? path : there;
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
    const isIn = path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
    if (isIn && (found === null || folder.length > found.length)) found = { length: folder.length, to };
  }
  if (found === null) return path;
  const rest = path.slice(found.length).replace(/^\/+/, '');
  return rest === '' ? found.to : `${found.to.replace(/\/+$/, '')}/${rest}`;
}
