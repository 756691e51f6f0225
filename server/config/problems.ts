/** How mistakes in a configuration file are told: one line each, with place, key and value. */
import { VbatchError } from '../protocol/errors.ts';
import { nearest } from '../protocol/nearest.ts';

/** One mistake: where it is in the text of the file, and a clause that says what is wrong. */
export interface Problem {
  offset: number;
  text: string;
}

/** Keys and list places that lead to a value: `['pools', 'prep', 'hosts', 0]`. */
export type Path = readonly PropertyKey[];

/** More than this only hides the first mistake, which often causes the others. */
const shownProblems = 5;
const shownValue = 60;

/** The error that tells a file's first problems, in the order in which they stand in it. */
export function problemsError(file: string, text: string, problems: readonly Problem[]): VbatchError {
  const shown = problems.toSorted((a, b) => a.offset - b.offset).slice(0, shownProblems);
  const lines = shown.map((problem) => `${file}:${positionText(text, problem.offset)}: ${problem.text}`);
  const more = problems.length - shown.length;
  if (more > 0) lines.push(`${file}: and ${more} more ${more === 1 ? 'problem' : 'problems'}`);
  return new VbatchError('configuration', lines.join('\n'));
}

/** `LINE:COLUMN`, both from 1, which editors and terminals make links of. */
function positionText(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}

/** `pools.prep.hosts[0]`; a name that would be misread is quoted. */
export function pathText(path: Path): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`;
      const name = /^[\w-]+$/.test(String(part)) ? String(part) : quoted(String(part));
      return i === 0 ? name : `.${name}`;
    })
    .join('');
}

/** A value as a person recognises it, cut to one short line. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? quoted(value) : 'a mapping';
}

/** Text between quotes, cut to one short line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > shownValue ? `${text.slice(0, shownValue)}…` : text);
}

/** What to write instead of an unknown word: the nearest known one, else all of them. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === null ? `known: ${known.join(', ')}` : `did you mean ${quoted(meant)}?`;
}
