/** Finds the lines that hold a text in output that comes piece by piece. Pure. */
import type { LogChunk } from '../protocol/logs.ts';

type Stream = LogChunk['stream'];

export interface Sought {
  /** Within one line. */
  readonly text: string;
  readonly matchCase: boolean;
}

/** A line that holds the text; see LogSearchMessage. */
export interface Hit {
  stream: Stream;
  position: number;
  line: number;
  text: string;
  at: number;
  length: number;
}

/** A line that has no end after so many bytes is looked at as if it had. */
const maxLine = 1024 * 1024;
/** What is shown of a line before its first match, and from there on, in UTF-16 units. */
const shownBefore = 120;
const shownAfter = 400;

const newline = 0x0a;
const escape = 0x1b;
// oxlint-disable-next-line no-control-regex -- they begin and end with such characters.
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;

/** Of one stream: the line that has not ended yet. */
interface Unfinished {
  pieces: Buffer[];
  length: number;
  /** Of its first byte. */
  position: number;
  line: number;
}

/** A search through both streams of one log, from its first byte on. */
export class LineSearch {
  private readonly streams: Record<Stream, Unfinished> = { stdout: fresh(), stderr: fresh() };
  private readonly needle: string;
  private readonly bytes: Buffer;
  /** Text of ASCII alone is found in bytes taken for Latin-1 as well, which is several times faster. */
  private readonly encoding: 'latin1' | 'utf8';

  constructor(private readonly sought: Sought) {
    this.needle = this.fold(sought.text);
    this.bytes = Buffer.from(sought.text);
    this.encoding = this.bytes.length === sought.text.length ? 'latin1' : 'utf8';
  }

  /** The lines that end in this piece and hold the text. @param position of its first byte. */
  push({ stream, data }: LogChunk, position: number): Hit[] {
    const open = this.streams[stream];
    const end = data.lastIndexOf(newline) + 1;
    const hits: Hit[] = [];
    if (end > 0) {
      const block = Buffer.concat([...open.pieces, data.subarray(0, end)]);
      this.searchBlock(stream, block, position - open.length, hits);
    }
    if (end < data.length) {
      if (open.length === 0) open.position = position + end;
      open.pieces.push(data.subarray(end));
      open.length += data.length - end;
      if (open.length > maxLine) this.searchRest(stream, hits);
    }
    return hits;
  }

  /** The lines that nothing has ended. */
  end(): Hit[] {
    const hits: Hit[] = [];
    this.searchRest('stdout', hits);
    this.searchRest('stderr', hits);
    return hits.sort((a, b) => a.position - b.position);
  }

  private searchRest(stream: Stream, hits: Hit[]): void {
    const open = this.streams[stream];
    const line = Buffer.concat(open.pieces);
    if (this.mayHold(line)) this.searchLine(stream, line, open.position, open.line, hits);
    Object.assign(open, { pieces: [], length: 0 });
  }

  /** @param base the position of the block's first byte, had its unfinished line come in one with the rest. */
  private searchBlock(stream: Stream, block: Buffer, base: number, hits: Hit[]): void {
    const open = this.streams[stream];
    const looksInside = this.mayHold(block);
    for (let start = 0; start < block.length; open.line++) {
      const end = block.indexOf(newline, start);
      if (looksInside) {
        const position = start === 0 && open.length > 0 ? open.position : base + start;
        this.searchLine(stream, block.subarray(start, end), position, open.line, hits);
      }
      start = end + 1;
    }
    Object.assign(open, { pieces: [], length: 0 });
  }

  private searchLine(stream: Stream, bytes: Buffer, position: number, line: number, hits: Hit[]): void {
    const text = plain(bytes.toString('utf8'));
    const found = this.fold(text).indexOf(this.needle);
    if (found < 0) return;
    const from = Math.max(0, found - shownBefore);
    const shown = text.slice(from, found + shownAfter).trimEnd();
    hits.push({ stream, position, line, text: shown, at: found - from, length: this.sought.text.length });
  }

  /** Whether it is worth looking at line by line. */
  private mayHold(bytes: Buffer): boolean {
    const hasEscapes = bytes.includes(escape);
    if (this.sought.matchCase && !hasEscapes) return bytes.includes(this.bytes);
    const text = bytes.toString(this.encoding);
    return this.fold(hasEscapes ? plain(text) : text).includes(this.needle);
  }

  private fold(text: string): string {
    return this.sought.matchCase ? text : text.toLowerCase();
  }
}

function fresh(): Unfinished {
  return { pieces: [], length: 0, position: 0, line: 1 };
}

function plain(text: string): string {
  return text.replace(escapes, '');
}
