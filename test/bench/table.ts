/** What is shown of figures. */
import { type Row, ratioOf, type Unit } from './measure.ts';

const headings = ['What', 'vbatch', 'Beside it', '', 'Ratio', 'Goal', ''];

/** The rows as Markdown, in columns that also read well in a terminal. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.what,
    figure(row.value, row.unit),
    row.beside.what,
    figure(row.beside.value, row.unit),
    `× ${digits(ratioOf(row))}`,
    goalText(row),
    verdict(row),
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, 3, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const isNumber = (column: number) => column === 1 || column === 3 || column === 4;
  const show = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, isNumber(column))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [show(headings), `| ${rule.join(' | ')} |`, ...lines.map(show)].join('\n');
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}

function figure(value: number, unit: Unit): string {
  return unit === '/s' ? `${digits(value)} a second` : `${digits(value)} ${unit}`;
}

/** Three digits that count. */
function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}

function goalText({ goal, unit }: Row): string {
  if (goal === null) return '–';
  return goal.of === 'ratio' ? `× ${goal.most} at most` : `${goal.most} ${unit} at most`;
}

function verdict(row: Row): string {
  if (row.goal === null) return '';
  const reached = row.goal.of === 'ratio' ? ratioOf(row) : row.value;
  if (reached <= row.goal.most) return 'met';
  return `missed by ${Math.max(1, Math.round((reached / row.goal.most - 1) * 100))} %`;
}
