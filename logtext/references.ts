/** Places in files that a line of output names: in tracebacks, compilers' messages and the like. */

/** A file and a line in it, as a program wrote them. */
export interface Place {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1; null where none was written. */
  readonly column: number | null;
}

/** A place and where in its line it is written. */
export interface Reference extends Place {
  readonly start: number;
  readonly end: number;
}

/** Further to the right nobody names files, and lines of data would cost much time. */
const longest = 2_000;

/** `File "a b.py", line 3`: Python. */
const quoted = /File "([^"<>]+)", line (\d+)/g;
/** `(/a b/c.js:3:5)`: Node. */
const bracketed = /\(((?:file:\/\/)?(?:[A-Za-z]:)?[^():]+):(\d+):(\d+)\)/g;
/** `a/b.c:3:5` or `a/b.c:3`: gcc, clang, rustc, pytest, Node, and most others. */
const colons =
  /(?<=^|[\s"'`=[(<,;])((?:file:\/\/)?(?:[A-Za-z]:[\\/])?[^\s"'`:()[\]<>|,;=]+):(\d+)(?::(\d+))?(?![\w.]*[\w])/g;
/** `a/b.ts(3,5)`: tsc. */
const inBrackets = /(?<=^|\s)([^\s"'`:()[\]<>|,;=]+)\((\d+),(\d+)\)/g;

/** Those in one line, from left to right, without overlaps. Whether there is such a file is not known here. */
export function referencesIn(text: string): Reference[] {
  const looked = text.slice(0, longest);
  if (!/[:,(] ?(?:line )?\d/.test(looked)) return [];
  const found: Reference[] = [];
  for (const pattern of [quoted, bracketed, colons, inBrackets]) {
    for (const match of looked.matchAll(pattern)) {
      const reference = referenceOf(match, pattern === bracketed ? 1 : 0);
      if (isPath(reference.path) && !found.some((other) => overlap(other, reference))) found.push(reference);
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** @param border characters of the match before and after the place. */
function referenceOf(match: RegExpExecArray, border: number): Reference {
  const [whole, path = '', line, column] = match;
  return {
    path: plainPath(path),
    line: Number(line),
    column: column === undefined ? null : Number(column),
    start: match.index + border,
    end: match.index + whole.length - border,
  };
}

/** The path of a `file:` URL; anything else as it is. */
export function plainPath(text: string): string {
  if (!text.startsWith('file://')) return text;
  const path = text.slice('file://'.length);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** No time, address with a port, or number. */
function isPath(path: string): boolean {
  return /[^\d.-]/.test(path) && /[./\\]/.test(path.slice(0, -1)) && !/^(?:node:|https?:|\/\/)/.test(path);
}

function overlap(a: Reference, b: Reference): boolean {
  return a.start < b.end && b.start < a.end;
}
