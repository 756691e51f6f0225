/** Aligned tables that fit the terminal. */
import type { Style } from './colours.ts';
import { cutText, harmless, padText, textWidth } from './text.ts';

export interface Cell {
  text: string;
  style?: Style;
}

export interface TableColumn {
  header: string;
  align?: 'left' | 'right';
  /** Which end of its text survives where the column is cut. */
  keep?: 'start' | 'end';
}

const gap = '  ';
/** A column is not cut below this width as long as another can give. */
const leastWidth = 8;

/**
 * Lines of a table, without line ends. A terminal too narrow for a character of each column shows
 * the first ones only.
 * @param width columns of the terminal; null to cut nothing.
 */
export function tableLines(
  allColumns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  options: { header: boolean; width: number | null; headerStyle?: Style },
): string[] {
  const most =
    options.width === null ? allColumns.length : Math.floor((options.width + gap.length) / (1 + gap.length));
  const columns = allColumns.slice(0, Math.max(1, most));
  const header = columns.map((column): Cell => ({ text: column.header, style: options.headerStyle }));
  const lines = (options.header ? [header, ...rows] : rows).map((row) =>
    row.map((cell) => ({ ...cell, text: harmless(cell.text) })),
  );
  const widths = columns.map((_, at) => Math.max(0, ...lines.map((row) => textWidth(row[at]?.text ?? ''))));
  if (options.width !== null) shrink(widths, options.width);
  return lines.map((row) => lineOf(columns, row, widths));
}

/** Takes columns away from the widest until the line fits, or until nothing is left to take. */
function shrink(widths: number[], width: number): void {
  let excess = sum(widths) + gap.length * (widths.length - 1) - width;
  for (const least of [leastWidth, 1]) {
    while (excess > 0) {
      const widest = Math.max(...widths);
      if (widest <= least) break;
      const next = Math.max(least, ...widths.filter((each) => each < widest));
      const at = widths.lastIndexOf(widest);
      const taken = Math.min(excess, widest - next || 1);
      widths[at] = widest - taken;
      excess -= taken;
    }
  }
}

function lineOf(columns: readonly TableColumn[], row: readonly Cell[], widths: readonly number[]): string {
  const parts = columns.map(({ align, keep }, at) => {
    const { text = '', style } = row[at] ?? {};
    const cut = cutText(text, widths[at] ?? 0, keep);
    const styled = style === undefined || cut === '' ? cut : style(cut);
    const spaces = padText('', (widths[at] ?? 0) - textWidth(cut));
    return align === 'right' ? spaces + styled : styled + spaces;
  });
  return parts.join(gap).trimEnd();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
