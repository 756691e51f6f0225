/**
 * The line format of journal and snapshot: CRC-32 of the rest as 8 hexadecimal digits, a space, JSON.
 * A line is whole when it ends with a newline and its checksum matches. The first line of each file
 * names its kind and format; that it does so stays the same in every format.
 */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { VbatchError } from '../protocol/errors.ts';

/** The format that this version writes. It reads this and every older one. */
export const FORMAT = 1;

const CHUNK = 1024 * 1024;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const JSON_START = 9;

export interface Line {
  /** The JSON text; null where the line is not whole. */
  readonly json: string | null;
  /** Ends with a newline. Only the last line of a file may not. */
  readonly ended: boolean;
  /** From 1. */
  readonly number: number;
  /** Place in the file and size with its newline, in bytes. */
  readonly offset: number;
  readonly length: number;
}

/** A file that does not hold what was written to it. The message says where; the advice is the catcher's. */
export class DamagedFile extends Error {
  constructor(
    readonly path: string,
    readonly offset: number,
    what: string,
  ) {
    super(`${path} is damaged: ${what}`);
  }
}

/** The line that holds this JSON text. */
export function encodeLine(json: string): string {
  return `${checksum(json)} ${json}\n`;
}

function checksum(json: string | Buffer): string {
  return crc32(json).toString(16).padStart(8, '0');
}

/** The lines of a file from its beginning, about a megabyte of them at a time. */
export async function* readLines(path: string): AsyncGenerator<Line[], void> {
  const file = await open(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    let rest: Buffer = Buffer.alloc(0);
    let offset = 0;
    let number = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK, null);
      const fresh = chunk.subarray(0, bytesRead);
      const bytes = rest.length === 0 ? fresh : Buffer.concat([rest, fresh]);
      const lines: Line[] = [];
      let start = 0;
      // What is left of the chunk before holds no newline.
      let end = bytes.indexOf(NEWLINE, rest.length);
      for (; end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        const json = decodeLine(bytes.subarray(start, end));
        lines.push({ json, ended: true, number: ++number, offset: offset + start, length: end + 1 - start });
        start = end + 1;
      }
      offset += start;
      rest = Buffer.from(bytes.subarray(start));
      if (bytesRead === 0 && rest.length > 0) {
        lines.push({ json: null, ended: false, number: ++number, offset, length: rest.length });
      }
      yield lines;
      if (bytesRead === 0) return;
    }
  } finally {
    await file.close();
  }
}

function decodeLine(line: Buffer): string | null {
  if (line[JSON_START - 1] !== SPACE) return null;
  const json = line.subarray(JSON_START);
  return line.toString('latin1', 0, JSON_START - 1) === checksum(json) ? json.toString('utf8') : null;
}

/** The JSON text of a line that must be whole. Throws `DamagedFile`. */
export function wholeLine(path: string, line: Line): string {
  if (line.json !== null) return line.json;
  const what = line.ended ? 'does not match its checksum' : 'breaks off';
  throw new DamagedFile(path, line.offset, `line ${line.number} (byte ${line.offset}) ${what}`);
}

type FileKind = 'journal' | 'snapshot';

/** The first line of a file of this kind, with what else it holds. */
export function encodeHeader(kind: FileKind, fields: object): string {
  return encodeLine(JSON.stringify({ vbatch: kind, format: FORMAT, ...fields }));
}

/** The fields of a file's first line. Throws `DamagedFile`, or `VbatchError` for a format of the future. */
export function parseHeader(path: string, kind: FileKind, line: Line): Record<string, unknown> {
  const header = JSON.parse(wholeLine(path, line)) as Record<string, unknown> | null;
  if (header?.vbatch !== kind || typeof header.format !== 'number') {
    throw new DamagedFile(path, 0, `its first line does not make it a ${kind} of vbatch`);
  }
  if (header.format > FORMAT) {
    throw new VbatchError(
      'stateFailed',
      `${path} has format ${header.format}, and this version of vbatch reads formats up to ${FORMAT}: a newer version wrote it. Install that version.`,
    );
  }
  return header;
}
