import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Escapes, type Typed } from '../../../cli/escapes.ts';

/** What becomes of keys that come in these pieces; bytes are joined. */
function read(...pieces: string[]): string[] {
  const escapes = new Escapes();
  const typed: Typed[] = pieces.flatMap((piece) => escapes.read(Buffer.from(piece, 'latin1')));
  const read: string[] = [];
  let bytes = '';
  const pass = () => {
    if (bytes !== '') read.push(bytes);
    bytes = '';
  };
  for (const each of typed) {
    if (typeof each !== 'string') bytes += each.toString('latin1');
    else {
      pass();
      read.push(`[${each}]`);
    }
  }
  pass();
  return read;
}

describe('R36 a ~ at the start of a line', () => {
  it.each([
    ['~.', ['[detach]']],
    ['~?', ['[help]']],
    ['a\r~.', ['a\r', '[detach]']],
    ['a\n~?b', ['a\n', '[help]', 'b']],
    ['~?~?x~.', ['[help]', '[help]', 'x~.']],
    ['~~.', ['~.']],
    ['~~\r~.', ['~\r', '[detach]']],
    ['~x', ['~x']],
    ['~\r~.', ['~\r', '[detach]']],
    ['a~.', ['a~.']],
    ['a ~?', ['a ~?']],
    ['\x03~.', ['\x03~.']],
    ['\xff~.\0', ['\xff~.\0']],
  ])('%j becomes %j', (keys, expected) => {
    expect(read(keys)).toEqual(expected);
    expect(read(...keys)).toEqual(expected);
  });

  it('waits for what follows it', () => {
    const escapes = new Escapes();
    expect(escapes.read(Buffer.from('~'))).toEqual([]);
    expect(escapes.read(Buffer.from('a'))).toEqual([Buffer.from('~a')]);
  });

  it('is followed by nothing once it detaches', () => {
    expect(read('ls\r~.rm -rf x\r')).toEqual(['ls\r', '[detach]']);
  });

  it('passes all else on, however it comes in pieces', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', '~', '\r', '\n', '\0', '\xff') });
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(read(...pieces)).toEqual(read(pieces.join('')));
      }),
    );
  });
});
