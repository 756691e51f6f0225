/**
 * Paths within a workspace: relative, `/` between names, and strings that stand for bytes as
 * `protocol/bytes.ts` has it.
 */
import { decodeBytes, encodeBytes } from '../protocol/bytes.ts';

/** Most bytes of a name, and of a path, on the systems that vbatch runs on. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 4095;

const SLASH = 0x2f;

/**
 * Whether this names something within a folder: not absolute, no `.`, `..`, empty name or NUL, nor longer than
 * a system takes. Every path that comes from a host is put to this test. A string that stands for the same
 * bytes as another one fails too, so that each file has one path.
 */
export function isSafePath(path: string): boolean {
  if (path.includes('\0') || !isFaithful(path)) return false;
  return lengthOf(path) <= LONGEST_PATH && path.split('/').every(isSafeName);
}

/** Whether this can be the target of a link. It may lead anywhere: nothing is written through links. */
export function isLinkTarget(target: string): boolean {
  return target !== '' && !target.includes('\0') && isFaithful(target) && lengthOf(target) <= LONGEST_PATH;
}

function isSafeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && lengthOf(name) <= LONGEST_NAME;
}

function isFaithful(text: string): boolean {
  return text.isWellFormed() || decodeBytes(encodeBytes(text)) === text;
}

/** Length in bytes. */
function lengthOf(text: string): number {
  const longest = Buffer.byteLength(text);
  // A lone surrogate stands for one byte and is counted as three.
  return longest <= LONGEST_NAME ? longest : encodeBytes(text).length;
}

/**
 * Whether this is `.git` or within it, on a system that tells upper from lower case or on one that does not. Windows
 * gives it a short name besides.
 */
export function isGitPath(path: string): boolean {
  return /(^|\/)(\.git|git~1)(\/|$)/i.test(path);
}

/**
 * Whether a file of this system can have this path. Windows would take some for another file, a device, a stream of a
 * file or a path out of the folder.
 */
export function isPathHere(path: string, platform: NodeJS.Platform = process.platform): boolean {
  return platform !== 'win32' || (path.isWellFormed() && path.split('/').every(isNameOfWindows));
}

/** See "Naming Files, Paths, and Namespaces" of Microsoft. */
function isNameOfWindows(name: string): boolean {
  const stem = name.split('.', 1)[0] ?? '';
  const isDevice = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *$/i.test(stem);
  // oxlint-disable-next-line no-control-regex -- They are among what no name has.
  return !isDevice && !/[\x00-\x1f<>:"|?*\\]|[. ]$/.test(name);
}

/** Path of the folder that this is in, or the empty string for the workspace itself. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Path of this name in that folder. */
export function within(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** The folders that this is in, from the nearest to the outermost, without the workspace itself. */
export function* foldersOf(path: string): Generator<string> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
}

/** This path, with another last name that ends in `.SUFFIX` and is cut where it would be too long. */
export function withSuffix(path: string, suffix: string): string {
  const ending = encodeBytes(`.${suffix}`);
  const name = encodeBytes(nameOf(path));
  let length = Math.min(name.length, LONGEST_NAME - ending.length);
  // Not within a character.
  while (length < name.length && ((name[length] as number) & 0xc0) === 0x80) length -= 1;
  return within(parentOf(path), decodeBytes(Buffer.concat([name.subarray(0, length), ending])));
}

/**
 * The order of paths in a manifest: name by name, names by UTF-16 code units. So a folder comes before what is
 * in it, and all that is in it comes before anything else.
 */
export function byPath(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === shorter) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

function rank(unit: number): number {
  return unit === SLASH ? -1 : unit;
}
