/** Writes tar archives, of what every tar reads: ustar headers, and GNU's form of long names. */
import { encodeBytes } from '../protocol/bytes.ts';

const BLOCK = 512;
const LONGEST_NAME = 100;

export type TarEntry =
  | { readonly kind: 'file'; readonly name: string; readonly size: number }
  /** Another name of the file `target`. */
  | { readonly kind: 'hardLink' | 'link'; readonly name: string; readonly target: string }
  | { readonly kind: 'folder'; readonly name: string };

const types = { file: '0', hardLink: '1', link: '2', folder: '5' } as const;

/** What comes before the contents of an entry. */
export function tarHeader(entry: TarEntry): Buffer {
  const name = encodeBytes(entry.name);
  const target = 'target' in entry ? encodeBytes(entry.target) : Buffer.alloc(0);
  const blocks: Buffer[] = [];
  if (name.length > LONGEST_NAME) blocks.push(longName('L', name));
  if (target.length > LONGEST_NAME) blocks.push(longName('K', target));
  const size = entry.kind === 'file' ? entry.size : 0;
  blocks.push(header(types[entry.kind], name, target, size, entry.kind === 'folder' ? 0o755 : 0o644));
  return Buffer.concat(blocks);
}

/** What comes after contents of so many bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What comes last. */
export const tarEnd = Buffer.alloc(2 * BLOCK);

/** A file with its contents. */
export function tarFile(name: string, contents: Buffer): Buffer {
  const { length } = contents;
  return Buffer.concat([tarHeader({ kind: 'file', name, size: length }), contents, tarPadding(length)]);
}

function longName(type: string, name: Buffer): Buffer {
  const contents = Buffer.concat([name, Buffer.alloc(1)]);
  const start = header(type, Buffer.from('././@LongLink'), Buffer.alloc(0), contents.length, 0o644);
  return Buffer.concat([start, contents, tarPadding(contents.length)]);
}

function header(type: string, name: Buffer, target: Buffer, size: number, mode: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0, 0, LONGEST_NAME);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  writeSize(block, size);
  // The time means nothing: what is extracted is copied afterwards. Of 0, though, an old tar says that it is implausible.
  block.write(octal(1, 11), 136);
  block.write(type, 156);
  target.copy(block, 157, 0, LONGEST_NAME);
  block.write('ustar  \0', 257, 'latin1');
  block.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** In octal digits, or from 8 GiB on in binary as GNU has it. */
function writeSize(block: Buffer, size: number): void {
  if (size < 8 ** 11) {
    block.write(octal(size, 11), 124);
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}
