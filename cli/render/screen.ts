/** The output of a task and a status line below it, sharing one terminal. */
import { type Io, type Output, writeAll } from '../io.ts';
import { LiveArea, type LiveStream, statusLine } from './live.ts';
import { harmless } from './text.ts';

/** The status line is drawn on stderr, and only where stderr is a terminal. */
export class Screen {
  private readonly area: LiveArea | null;
  /** False while the terminal's last line is one that the task has begun and not ended. */
  private atLineStart = true;
  private asking: Promise<unknown> | null = null;
  private isLent = false;

  constructor(private readonly io: Io) {
    this.area = isTerminal(io.stderr) ? new LiveArea(io.stderr) : null;
  }

  /** Whether anybody would see a status line. */
  get live(): boolean {
    return this.area !== null;
  }

  /** Passes output of the task on, once no question is open. */
  async output(stream: 'stdout' | 'stderr', data: Uint8Array): Promise<void> {
    await this.asking;
    if (data.length === 0) return;
    const output = this.io[stream];
    if (output.isTTY === true) {
      this.area?.erase();
      this.atLineStart = data.at(-1) === 0x0a;
    }
    await writeAll(output, data);
  }

  /** Shows a status line instead of the last; null shows none. */
  status(text: string | null): void {
    if (this.area === null || this.asking !== null || this.isLent) return;
    if (text === null || !this.atLineStart) this.area.erase();
    else this.area.draw([statusLine(text, this.io.stderr.columns || 80)]);
  }

  /** Shows no status line while the terminal is somebody else's, who only passes output on. */
  lend(lent: boolean): void {
    this.area?.erase();
    this.isLent = lent;
  }

  /** Holds output and status back while `question` is open. */
  async hold<T>(question: () => Promise<T>): Promise<T> {
    this.area?.erase();
    const asked = question();
    this.asking = asked;
    try {
      return await asked;
    } finally {
      this.asking = null;
    }
  }

  /** A message of our own, on a line of its own. */
  note(text: string): void {
    this.area?.erase();
    this.io.stderr.write(`${this.atLineStart ? '' : '\n'}${harmless(text)}\n`);
    this.atLineStart = true;
  }
}

function isTerminal(output: Output): output is Output & LiveStream {
  return output.isTTY === true && output.columns !== undefined && output.rows !== undefined;
}
