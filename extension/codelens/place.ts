/** Where in a script the lens stands. Pure. */
import { extname } from 'node:path';

export interface Document {
  readonly path: string;
  readonly language: string;
  readonly lines: readonly string[];
}

/** Lines that are looked through for where a Python program begins. */
export const searchedLines = 5_000;

/**
 * The line to stand above: the first of a shell script; in Python where the program begins, or its shebang. Null for
 * what is no program.
 */
export function lensLine({ path, language, lines }: Document): number | null {
  const extension = extname(path);
  if (language === 'python' || extension === '.py') {
    const main = lines
      .slice(0, searchedLines)
      .findIndex((line) => /^if\s+__name__\s*==\s*(['"])__main__\1/.test(line));
    if (main >= 0) return main;
    return lines[0]?.startsWith('#!') ? 0 : null;
  }
  if (language === 'shellscript' || extension === '.sh') return 0;
  return /^#!.*\b(ba|da|z|k)?sh\b/.test(lines[0] ?? '') ? 0 : null;
}
