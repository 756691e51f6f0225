/** `#VBATCH` lines: flags that a script gives to whoever submits it. */

import { decodeBytes } from './bytes.ts';
import { type Flags, parseFlags } from './commandLineFlags.ts';
import { VbatchError } from './errors.ts';

/** How much of a script to read: its leading comments are expected within this many bytes. */
export const scriptHeadBytes = 16_384;

/** Flags that are about one call and not about the task, so that no script may set them. */
const refused: readonly (readonly [keyof Flags, string])[] = [
  ['follow', '-f'],
  ['wait', '--wait'],
  ['tty', '-t'],
  ['dryRun', '--dry-run'],
  ['quiet', '-q'],
  ['help', '-h'],
  ['version', '--version'],
  ['shell', '--shell'],
];

/**
 * The words of all `#VBATCH` lines in the comments at the top of a script, for `defaults` of
 * `parseCommandLine`. Blank lines do not end the comments. Throws `usage`, naming file and line.
 * @param head the first `scriptHeadBytes` of the file, or all of it.
 * @param file how messages call the script.
 */
export function scriptDefaults(head: Uint8Array, file: string): string[] {
  if (head[0] !== 0x23 && !startsBlank(head)) return [];
  const lines = decodeBytes(head).split('\n');
  if (head.length >= scriptHeadBytes) lines.pop();
  const words: string[] = [];
  for (const [at, line] of lines.entries()) {
    const text = line.trim();
    if (text !== '' && !text.startsWith('#')) break;
    if (/^#VBATCH(\s|$)/.test(text)) {
      words.push(...lineWords(text.slice('#VBATCH'.length), `${file}, line ${at + 1}`));
    }
  }
  return words;
}

/** Most programs are no scripts: only a head that may begin with comments is worth decoding. */
function startsBlank(head: Uint8Array): boolean {
  return head[0] === 0x0a || head[0] === 0x0d || head[0] === 0x20 || head[0] === 0x09;
}

function lineWords(text: string, where: string): string[] {
  const words = splitWords(text);
  if (words === null) throw new VbatchError('usage', `${where}: a quote is not closed in this #VBATCH line`);
  try {
    const { flags, command } = parseFlags('vbatch', words);
    if (command[0] !== undefined) {
      throw new VbatchError('usage', `a #VBATCH line holds flags only, but "${command[0]}" is none`);
    }
    const wrong = flags.output?.includes('json')
      ? '-o json'
      : refused.find(([key]) => flags[key] !== undefined)?.[1];
    if (wrong !== undefined) {
      throw new VbatchError('usage', `${wrong} is about one call and cannot stand in a #VBATCH line`);
    }
  } catch (error) {
    if (error instanceof VbatchError) throw new VbatchError(error.code, `${where}: ${error.message}`);
    throw error;
  }
  return words;
}

/** Words as a shell splits them: quotes and backslashes, but no expansion. Null: an open quote. */
export function splitWords(text: string): string[] | null {
  const words: string[] = [];
  const piece = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/suy;
  let word: string | null = null;
  while (piece.lastIndex < text.length) {
    const found = piece.exec(text);
    if (found === null) return null;
    const [whole, single, double, escaped, plain] = found;
    const part = single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain;
    if (part !== undefined) word = (word ?? '') + part;
    else if (whole !== '' && word !== null) {
      words.push(word);
      word = null;
    }
  }
  return word === null ? words : [...words, word];
}
