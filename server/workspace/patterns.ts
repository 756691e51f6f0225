/**
 * The patterns of one ignore file, with the meaning that gitignore(5) and git's `dir.c` give them. Paths have a
 * character per byte (latin1), as `disk.ts` has them.
 */
import { nameOf } from './paths.ts';
import { wildmatch } from './wildmatch.ts';

interface Pattern {
  /** Without `!` and the slashes at the beginning and end. A character per byte. */
  readonly text: string;
  /** Begins with `!`: brings back what an earlier pattern leaves out. */
  readonly isNegated: boolean;
  readonly foldersOnly: boolean;
  /** Has no slash but at its end, so it means a name in any folder. */
  readonly isName: boolean;
  /** How many characters it begins with that stand for themselves. */
  readonly plain: number;
  /** For `*.ext`: what names end in. */
  readonly ending: string | null;
}

/** The patterns of a file that lies in the folder `base`. */
export interface Patterns {
  /** Path, a character per byte; the empty string for the outermost folder. */
  readonly base: string;
  readonly list: readonly Pattern[];
}

/** Reads the contents of an ignore file. No contents are an error: what makes no sense matches nothing. */
export function parsePatterns(contents: Uint8Array, base: string): Patterns {
  let text = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength).toString('latin1');
  if (text.startsWith('\xef\xbb\xbf')) text = text.slice(3);
  const list: Pattern[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = parseLine(
      withoutSpaces((line.endsWith('\r') ? line.slice(0, -1) : line).split('\0', 1)[0] ?? ''),
    );
    if (pattern) list.push(pattern);
  }
  return { base, list };
}

/** The line without spaces at its end, but for those with a backslash before them. */
function withoutSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') {
      if (at + 1 >= line.length) return line;
      at += 1;
      end = at + 1;
    } else if (line[at] !== ' ') {
      end = at + 1;
    }
  }
  return line.slice(0, end);
}

function parseLine(line: string): Pattern | null {
  const isNegated = line.startsWith('!');
  let text = isNegated ? line.slice(1) : line;
  const foldersOnly = text.endsWith('/');
  if (foldersOnly) text = text.slice(0, -1);
  const isName = !text.includes('/');
  if (text.startsWith('/')) text = text.slice(1);
  if (text === '') return null;
  const special = text.search(/[*?[\\]/);
  const ending = isName && /^\*[^*?[\\]*$/.test(text) ? text.slice(1) : null;
  return { text, isNegated, foldersOnly, isName, plain: special === -1 ? text.length : special, ending };
}

/** What the last pattern that matches says: leave out, bring back, or null where none matches. */
export function decide(patterns: Patterns, path: string, isFolder: boolean): 'out' | 'in' | null {
  const { base, list } = patterns;
  if (list.length === 0 || (base !== '' && !path.startsWith(`${base}/`))) return null;
  const inner = base === '' ? path : path.slice(base.length + 1);
  const name = nameOf(inner);
  for (let index = list.length - 1; index >= 0; index--) {
    const pattern = list[index] as Pattern;
    if (pattern.foldersOnly && !isFolder) continue;
    if (pattern.isName ? matchesName(pattern, name) : matchesPath(pattern, inner)) {
      return pattern.isNegated ? 'in' : 'out';
    }
  }
  return null;
}

function matchesName(pattern: Pattern, name: string): boolean {
  if (pattern.ending !== null) return name.endsWith(pattern.ending);
  if (pattern.plain === pattern.text.length) return name === pattern.text;
  return wildmatch(pattern.text, name, false);
}

function matchesPath(pattern: Pattern, path: string): boolean {
  if (pattern.plain === pattern.text.length) return path === pattern.text;
  if (!path.startsWith(pattern.text.slice(0, pattern.plain))) return false;
  // git matches only what is left: in `a**/b`, the stars count as if they began a name.
  return wildmatch(pattern.text.slice(pattern.plain), path.slice(pattern.plain), true);
}

/**
 * Whether a pattern brings something back that is in this folder, by a path that leads there: `!/data/a.csv`
 * or `!data/**` for `data`. A bare name or one after a leading `**` leads nowhere in particular.
 */
export function leadsInto(patterns: Patterns, folder: string): boolean {
  return patterns.list.some((pattern) => {
    if (!pattern.isNegated || pattern.isName) return false;
    const names = pattern.text.split('/');
    return names[0] !== '**' && reaches(names, patterns.base, folder);
  });
}

function reaches(names: readonly string[], base: string, folder: string): boolean {
  if (base !== '' && !folder.startsWith(`${base}/`)) return false;
  const inner = base === '' ? folder : folder.slice(base.length + 1);
  for (const [index, part] of inner.split('/').entries()) {
    const name = names[index];
    if (name === '**') return true;
    // The last name of the pattern is what it brings back, and not a folder on the way.
    if (name === undefined || index === names.length - 1 || !wildmatch(name, part, true)) return false;
  }
  return true;
}
