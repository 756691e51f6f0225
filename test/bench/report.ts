/** docs/benchmarks.md: what was measured goes between its two marks, all else is written by hand. */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { Place } from './bench.ts';
import type { Measure, Row } from './measure.ts';
import { table } from './table.ts';

const file = 'docs/benchmarks.md';
const begin = '<!-- written by npm run bench -- --write -->';
const end = '<!-- up to here -->';

export interface Report {
  readonly places: readonly Place[];
  readonly measures: readonly Measure[];
  readonly rows: readonly Row[];
  /** What could not be measured, a sentence each. */
  readonly skipped: readonly string[];
  /** The machine's load when the measurements began. */
  readonly load: number;
}

/** One paragraph on where the figures come from. */
export function describeMachine({ places, load }: Pick<Report, 'places' | 'load'>): string {
  const memory = Math.round(totalmem() / 1024 ** 3);
  const folders = places.map(({ name, folder }) => `${name} is ${fileSystem(folder)}`).join(', ');
  return [
    `${new Date().toISOString().slice(0, 10)}; ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${memory} GiB,`,
    `Linux ${release()}, Node ${process.versions.node}; /bin/sh is ${realpathSync('/bin/sh')}; ${folders};`,
    `load average before: ${load.toFixed(1)}.`,
  ].join(' ');
}

/** Puts the figures into docs/benchmarks.md. */
export function writeReport(report: Report): void {
  const text = readFileSync(file, 'utf8');
  const [before, rest] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || rest < before) throw new Error(`${file} lacks its marks "${begin}" and "${end}"`);
  const parts = [
    begin,
    describeMachine(report),
    table(report.rows),
    ...report.skipped,
    '## How each is measured',
    report.measures.map(({ name, how }) => `- **${name}**: ${how}`).join('\n'),
  ];
  writeFileSync(file, `${text.slice(0, before)}${parts.join('\n\n')}\n\n${text.slice(rest)}`);
}

function fileSystem(folder: string): string {
  return execFileSync('stat', ['-f', '-c', '%T', folder], { encoding: 'utf8' }).trim();
}
