/** Output as lines of plain text: without escape sequences, and with carriage returns carried out. Pure. */

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  text: string;
}

/** Escape sequences of terminals: CSI, OSC and the short ones (ECMA-48, section 5). */
// oxlint-disable-next-line no-control-regex
const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
// oxlint-disable-next-line no-control-regex
const cutEscape = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*|)$/;
/** A line that goes on for ever is broken. */
const longest = 10_000;

export class LogLines {
  readonly lines: LogLine[] = [];
  /** How many lines were let go of at the beginning. */
  dropped = 0;
  private readonly open: Record<LogLine['stream'], LogLine | null> = { stdout: null, stderr: null };
  private readonly rest = { stdout: '', stderr: '' };

  /** @param most how many lines are kept; the oldest go first. */
  constructor(private readonly most: number) {}

  add(stream: LogLine['stream'], text: string): void {
    const whole = this.rest[stream] + text;
    const cut = cutEscape.exec(whole);
    this.rest[stream] = cut === null || cut[0].length > 100 ? '' : cut[0];
    const plain = whole.slice(0, whole.length - this.rest[stream].length).replace(escapes, '');
    const parts = plain.split(/\r?\n/);
    for (const [at, part] of parts.entries()) {
      if (part !== '' || at < parts.length - 1) this.write(stream, part);
      if (at < parts.length - 1) this.open[stream] = null;
    }
    const excess = this.lines.length - this.most;
    if (excess > 0) {
      this.lines.splice(0, excess);
      this.dropped += excess;
    }
  }

  private write(stream: LogLine['stream'], part: string): void {
    let line = this.open[stream];
    if (line === null || line.text.length > longest) {
      line = { stream, text: '' };
      this.lines.push(line);
      this.open[stream] = line;
    }
    // What follows a carriage return is written over what stood there: progress bars.
    const returned = part.lastIndexOf('\r', part.length - 2);
    line.text = returned >= 0 ? part.slice(returned + 1) : line.text.endsWith('\r') ? part : line.text + part;
  }
}
