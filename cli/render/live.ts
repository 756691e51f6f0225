/** Lines at the bottom of a terminal that are drawn again and again in place. */
import { cutText, harmless, textWidth } from './text.ts';

export interface LiveStream {
  readonly columns: number;
  write(text: string): unknown;
}

/** Moves the cursor up `lines` lines and clears from there to the end of the screen. */
function backUp(lines: number): string {
  return lines === 0 ? '' : `\x1b[${lines}A\x1b[J`;
}

/**
 * Draws and erases. Between two calls nobody else may write to the terminal without `erase` before.
 * The cursor rests at the start of the line below what is drawn.
 */
export class LiveArea {
  private drawn: { lines: readonly string[]; columns: number } | null = null;

  constructor(private readonly stream: LiveStream) {}

  /** Puts these lines in the place of the ones drawn before. Each must fit the terminal's width. */
  draw(lines: readonly string[]): void {
    const same =
      this.drawn?.columns === this.stream.columns && this.drawn.lines.join('\n') === lines.join('\n');
    if (same) return;
    this.stream.write(`${this.erasing()}${lines.map((line) => `${line}\n`).join('')}`);
    this.drawn = { lines, columns: this.stream.columns };
  }

  erase(): void {
    const sequence = this.erasing();
    if (sequence !== '') this.stream.write(sequence);
    this.drawn = null;
  }

  /** A terminal that became narrower has wrapped what was drawn. */
  private erasing(): string {
    if (this.drawn === null) return '';
    const { lines, columns } = this.drawn;
    const now = Math.max(1, this.stream.columns);
    if (now >= columns) return backUp(lines.length);
    const rows = lines.map((line) => Math.max(1, Math.ceil(visibleWidth(line) / now)));
    return backUp(rows.reduce((sum, each) => sum + each, 0));
  }
}

/** One plain line that fits the terminal, with a column to spare for the cursor. */
export function statusLine(text: string, columns: number): string {
  return cutText(harmless(text), Math.max(1, columns - 1));
}

function visibleWidth(line: string): number {
  // oxlint-disable-next-line no-control-regex -- colours begin with an escape.
  return textWidth(line.replace(/\x1b\[[0-9;]*m/g, ''));
}
