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

/** A column that is shown: its place in each row, and how many columns of the terminal it gets. */
interface Shown {
  column: TableColumn;
  at: number;
  width: number;
}

/**
 * Lines of a table, without line ends. A column in which nothing stands takes no room. A terminal too
 * narrow for a character of each column shows the first ones only.
 * @param width columns of the terminal; null to cut nothing.
 */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  { header, width, headerStyle }: { header: boolean; width: number | null; headerStyle?: Style },
): string[] {
  const headers = columns.map((column): Cell => ({ text: column.header, style: headerStyle }));
  const lines = (header ? [headers, ...rows] : rows).map((row) =>
    row.map((cell) => ({ ...cell, text: harmless(cell.text) })),
  );
  let shown = columns.map((column, at): Shown => ({ column, at, width: widest(lines, at) }));
  shown = shown.filter((each) => each.width > 0);
  if (width !== null) {
    shown = shown.slice(0, Math.max(1, Math.floor((width + gap.length) / (1 + gap.length))));
    shrink(shown, width);
  }
  return lines.map((row) => lineOf(row, shown));
}

function widest(lines: readonly (readonly Cell[])[], at: number): number {
  return lines.reduce((width, row) => Math.max(width, textWidth(row[at]?.text ?? '')), 0);
}

/** Takes room from the widest columns until the line fits, or until nothing is left to take. */
function shrink(shown: readonly Shown[], width: number): void {
  let excess = shown.reduce((sum, each) => sum + each.width + gap.length, -gap.length) - width;
  for (const least of [leastWidth, 1]) {
    while (excess > 0) {
      const most = Math.max(...shown.map((each) => each.width));
      const last = shown.findLast((each) => each.width === most);
      if (last === undefined || most <= least) break;
      const next = Math.max(least, ...shown.map((each) => each.width).filter((each) => each < most));
      const taken = Math.min(excess, most - next);
      last.width -= taken;
      excess -= taken;
    }
  }
}

function lineOf(row: readonly Cell[], shown: readonly Shown[]): string {
  const parts = shown.map(({ column: { align, keep }, at, width }) => {
    const { text = '', style } = row[at] ?? {};
    const cut = cutText(text, width, keep);
    const styled = style === undefined || cut === '' ? cut : style(cut);
    const spaces = padText('', width - textWidth(cut));
    return align === 'right' ? spaces + styled : styled + spaces;
  });
  return parts.join(gap).trimEnd();
}
