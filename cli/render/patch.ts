/** Differences of files as `git diff` shows them, such that `git apply` takes them. */
import { structuredPatch } from 'diff';
import { decodeBytes, encodeBytes } from '../../server/protocol/bytes.ts';
import type { DiffedFile, FileSide } from '../../server/protocol/runs.ts';
import type { Colours } from './colours.ts';
import { harmless } from './text.ts';

/** Files that have next to nothing in common take long to compare. After so many milliseconds all of both is shown. */
const patience = 2_000;

/** Lines of bytes, a character each, without the newlines at their ends. */
export function patchLines(files: readonly DiffedFile[]): string[] {
  return files.flatMap(({ path, here = null, there = null }) => {
    const isOther = here !== null && there !== null && isLink(here) !== isLink(there);
    // As git has it: one thing goes and another comes.
    if (isOther) return [...patchOf(path, here, null), ...patchOf(path, null, there)];
    return here === null && there === null ? [] : patchOf(path, here, there);
  });
}

/** The lines as bytes, for a file or a program; or with colours and harmless, for a terminal. */
export function patchText(lines: readonly string[], colours: Colours, isTerminal: boolean): Buffer {
  const styled = (line: string) => {
    if (/^(diff|---|\+\+\+|old|new|deleted|Binary)/.test(line)) return colours.bold(line);
    if (line.startsWith('@@')) return colours.cyan(line);
    if (line.startsWith('+')) return colours.green(line);
    return line.startsWith('-') ? colours.red(line) : line;
  };
  const shown = (line: string) => {
    const text = decodeBytes(Buffer.from(line, 'latin1'));
    return encodeBytes(styled(isTerminal ? text.split('\t').map(harmless).join('\t') : text));
  };
  return Buffer.concat(lines.flatMap((line) => [shown(line), Buffer.from('\n')]));
}

function isLink({ mode }: FileSide): boolean {
  return mode === '120000';
}

function patchOf(path: string, here: FileSide | null, there: FileSide | null): string[] {
  const [from, to] = [`a/${path}`, `b/${path}`].map(quoted) as [string, string];
  const lines = [`diff --git ${from} ${to}`];
  if (here === null) lines.push(`new file mode ${there?.mode}`);
  else if (there === null) lines.push(`deleted file mode ${here.mode}`);
  else if (here.mode !== there.mode) lines.push(`old mode ${here.mode}`, `new mode ${there.mode}`);
  const [before, after] = [textOf(here), textOf(there)];
  if (before !== null && before === after) return lines;
  const [old, fresh] = [here === null ? '/dev/null' : from, there === null ? '/dev/null' : to];
  if (before === null || after === null) return [...lines, `Binary files ${old} and ${fresh} differ`];
  // git ends a name that has spaces, so that no time is looked for behind it.
  const ended = (name: string) => (name.includes(' ') ? `${name}\t` : name);
  return [...lines, `--- ${ended(old)}`, `+++ ${ended(fresh)}`, ...hunkLines(before, after)];
}

/** What a side holds, a character per byte; null where that is no text or not told. */
function textOf(side: FileSide | null): string | null {
  if (side === null) return '';
  return side.data === null ? null : Buffer.from(side.data, 'base64').toString('latin1');
}

function hunkLines(before: string, after: string): string[] {
  const compared = structuredPatch('', '', before, after, undefined, undefined, {
    context: 3,
    timeout: patience,
  });
  if (!compared)
    return [`@@ -${rangeOf(before)} +${rangeOf(after)} @@`, ...all('-', before), ...all('+', after)];
  return compared.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
    ...lines,
  ]);
}

/** Where there are no lines, the range begins after the line before. */
function range(start: number, count: number): string {
  return count === 1 ? String(start) : `${count === 0 ? start - 1 : start},${count}`;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function rangeOf(text: string): string {
  return range(1, linesOf(text).length);
}

function all(sign: string, text: string): string[] {
  const lines = linesOf(text).map((line) => sign + line);
  return text === '' || text.endsWith('\n') ? lines : [...lines, '\\ No newline at end of file'];
}

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

/** A name as git quotes it: where it holds what could be taken for something else, and bytes beyond ASCII. */
function quoted(name: string): string {
  const bytes = encodeBytes(name).toString('latin1');
  // oxlint-disable-next-line no-control-regex -- They are what is looked for.
  const odd = /[\x00-\x1f"\\\x7f-\xff]/g;
  if (!odd.test(bytes)) return bytes;
  const octal = (character: string) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  return `"${bytes.replace(odd, (character) => escapes[character] ?? octal(character))}"`;
}
