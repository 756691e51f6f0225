/**
 * The lines of a part of a log, made of the pieces in which both streams arrive. What is written of one line goes
 * there even where the other stream has written meanwhile: how a host sees the order cuts lines anywhere.
 */
import { type EscapeHandler, EscapeParser } from './escapes.ts';
import { plainStyle, restyle, type Style } from './style.ts';

export type Stream = 'stdout' | 'stderr';

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly style: Style;
}

export interface LogLine {
  readonly stream: Stream;
  /** Of its first byte in both streams together. */
  position: number;
  /** Without escape sequences and ends of line. */
  text: string;
  /** What of it is not plain, in order. */
  spans: readonly Span[];
}

/** A longer line goes on in the next one: an editor shows no more of a line. In UTF-16 units. */
export const maxLineLength = 10_000;

export class LogLines {
  private readonly all: LogLine[] = [];
  private readonly writers: Record<Stream, LineWriter>;
  private units = 0;
  private changed = 0;

  /** @param partial the streams whose first line has begun before this part: what is left of it is left out. */
  constructor(partial: Readonly<Record<Stream, boolean>> = { stdout: false, stderr: false }) {
    const writer = (stream: Stream) => new LineWriter(stream, this, partial[stream]);
    this.writers = { stdout: writer('stdout'), stderr: writer('stderr') };
  }

  get lines(): readonly LogLine[] {
    return this.all;
  }

  /** Of all text with its ends of line, in UTF-16 units. */
  get length(): number {
    return this.units + this.all.length;
  }

  /** Takes a piece of a stream. @param position of its first byte in both streams together. */
  write(stream: Stream, bytes: Uint8Array, position: number): void {
    this.writers[stream].write(bytes, position);
  }

  /** All text. It ends with an end of line where the last line has ended. */
  text(): string {
    const last = this.all.at(-1);
    const isOpen = last !== undefined && this.writers[last.stream].line === last;
    return this.all.map(({ text }) => text).join('\n') + (last === undefined || isOpen ? '' : '\n');
  }

  /** Removes lines from the top until at most so many UTF-16 units are left, or one line. How many it removed. */
  trim(length: number): number {
    let count = 0;
    while (this.length - count > length && count < this.all.length - 1) {
      this.units -= this.all[count]?.text.length ?? 0;
      count += 1;
    }
    const gone = new Set(this.all.splice(0, count));
    for (const writer of Object.values(this.writers)) {
      if (writer.line !== null && gone.has(writer.line)) writer.line = null;
    }
    if (count > 0) this.changed = 0;
    return count;
  }

  /** The first line that may have changed since this was asked last. */
  takeChanged(): number {
    const { changed } = this;
    this.changed = this.all.length;
    return changed;
  }

  /** @internal */
  add(line: LogLine): void {
    this.all.push(line);
  }

  /** @internal */
  isLast(line: LogLine): boolean {
    return this.all.at(-1) === line;
  }

  /** @internal Puts a line that is written anew below all others. */
  moveDown(line: LogLine): void {
    const at = this.all.lastIndexOf(line);
    if (at < 0) return;
    this.all.splice(at, 1);
    this.all.push(line);
    this.changed = Math.min(this.changed, at);
  }

  /** @internal */
  touch(line: LogLine, growth: number): void {
    this.units += growth;
    this.changed = Math.min(this.changed, this.all.lastIndexOf(line));
  }
}

/** Writes the lines of one stream, as a terminal would. */
class LineWriter implements EscapeHandler {
  /** The line that has not ended. */
  line: LogLine | null = null;
  private column = 0;
  private position = 0;
  /** Whether the line is about to be written anew from its beginning. */
  private returned = false;
  private current: Style = plainStyle;
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private readonly escapes = new EscapeParser(this);

  constructor(
    private readonly stream: Stream,
    private readonly lines: LogLines,
    private skipping: boolean,
  ) {}

  write(bytes: Uint8Array, position: number): void {
    for (let start = 0; start < bytes.length; ) {
      const found = bytes.indexOf(0x0a, start);
      const end = found < 0 ? bytes.length : found + 1;
      this.position = position + start;
      const text = this.decoder.decode(bytes.subarray(start, end), { stream: true });
      if (!this.skipping) this.escapes.push(found < 0 ? text : text.slice(0, -1));
      if (found >= 0) this.endLine();
      start = end;
    }
  }

  text(text: string): void {
    for (let rest = text; rest !== ''; ) {
      const line = this.begun();
      const piece = rest.slice(0, maxLineLength - this.column);
      this.put(line, piece);
      rest = rest.slice(piece.length);
      if (this.column >= maxLineLength) this.close();
    }
  }

  style(parameters: string): void {
    this.current = restyle(this.current, parameters);
  }

  carriageReturn(): void {
    this.column = 0;
    this.returned = true;
  }

  back(): void {
    this.column = Math.max(0, this.column - 1);
  }

  erase(part: number): void {
    const { line } = this;
    if (line === null) return;
    const { length } = line.text;
    if (part === 1) this.replace(line, 0, ' '.repeat(Math.min(this.column, length)), plainStyle);
    else {
      const kept = part === 2 ? 0 : Math.min(this.column, length);
      line.text = line.text.slice(0, kept);
      line.spans = cut(line.spans, kept, Number.POSITIVE_INFINITY);
      this.lines.touch(line, kept - length);
    }
  }

  private endLine(): void {
    this.escapes.reset();
    if (this.skipping) this.skipping = false;
    else {
      this.begun();
      this.close();
    }
  }

  private close(): void {
    this.line = null;
    this.column = 0;
    this.returned = false;
  }

  private begun(): LogLine {
    if (this.line === null) {
      this.line = { stream: this.stream, position: this.position, text: '', spans: [] };
      this.lines.add(this.line);
      this.lines.touch(this.line, 0);
    } else if (this.returned && !this.lines.isLast(this.line)) {
      // A bar of progress: what is new is looked for at the bottom, where a terminal shows it.
      this.line.position = this.position;
      this.lines.moveDown(this.line);
    }
    this.returned = false;
    return this.line;
  }

  private put(line: LogLine, text: string): void {
    const missing = this.column - line.text.length;
    if (missing > 0) this.replace(line, line.text.length, ' '.repeat(missing), plainStyle);
    this.replace(line, this.column, text, this.current);
    this.column += text.length;
  }

  /** Writes `text` at a column, over what is there. */
  private replace(line: LogLine, at: number, text: string, style: Style): void {
    const { length } = line.text;
    const end = at + text.length;
    const kept = at < length ? cut(line.spans, at, end) : line.spans;
    line.text = at === length ? line.text + text : line.text.slice(0, at) + text + line.text.slice(end);
    line.spans = style === plainStyle ? kept : withSpan(kept, { start: at, end, style });
    this.lines.touch(line, line.text.length - length);
  }
}

/** The spans without what they cover from `start` to `end`. */
function cut(spans: readonly Span[], start: number, end: number): Span[] {
  return spans.flatMap((span) => {
    const parts = [
      { ...span, end: Math.min(span.end, start) },
      { ...span, start: Math.max(span.start, end) },
    ];
    return parts.filter((part) => part.start < part.end);
  });
}

/** Adds a span where none is, joined to those beside it that look the same. */
function withSpan(spans: readonly Span[], { start, end, style }: Span): Span[] {
  const at = spans.findLastIndex((other) => other.end <= start) + 1;
  const [before, after] = [spans[at - 1], spans[at]];
  const joinsBefore = before?.end === start && before.style === style;
  const joinsAfter = after?.start === end && after.style === style;
  const joined = {
    start: joinsBefore ? before.start : start,
    end: joinsAfter ? after.end : end,
    style,
  };
  return [...spans.slice(0, joinsBefore ? at - 1 : at), joined, ...spans.slice(joinsAfter ? at + 1 : at)];
}
