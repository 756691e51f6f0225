/** docs/benchmarks.md: what was measured goes between its two marks, all else is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Measure, Row } from './measure.ts';
import { table } from './table.ts';

const file = 'docs/benchmarks.md';
const begin = '<!-- written by npm run bench -- --write -->';
const end = '<!-- up to here -->';

export interface Report {
  readonly surroundings: string;
  readonly measures: readonly Measure[];
  readonly rows: readonly Row[];
  /** What could not be measured, a sentence each. */
  readonly skipped: readonly string[];
}

/** The figures, as Markdown that also reads well in a terminal. */
export function figures({ surroundings, rows, skipped }: Report): string {
  return [surroundings, table(rows), ...skipped].join('\n\n');
}

/** Puts the figures, and how they were taken, into docs/benchmarks.md. */
export function writeReport(report: Report): void {
  const text = readFileSync(file, 'utf8');
  const [before, rest] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || rest < before) throw new Error(`${file} lacks its marks "${begin}" and "${end}"`);
  const ways = report.measures.map(({ name, how }) => `- **${name}**: ${how}`).join('\n');
  const parts = [begin, figures(report), '## How each is measured', ways];
  writeFileSync(file, `${text.slice(0, before)}${parts.join('\n\n')}\n\n${text.slice(rest)}`);
}
