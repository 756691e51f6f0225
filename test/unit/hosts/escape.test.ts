import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapeForPrintf } from '../../../server/hosts/escape.ts';

it('is one word of plain ASCII', () => {
  expect(escapeForPrintf(Buffer.from("a b\n'\\é\xff", 'latin1'))).toBe(
    'a\\0040b\\0012\\0047\\0134\\0351\\0377',
  );
});

it('is read back by the shell, whatever the bytes', () => {
  const check = (bytes: Uint8Array) => {
    const printed = execFileSync('sh', ['-c', 'printf %b "$1"', 'sh', escapeForPrintf(bytes)]);
    expect(printed).toEqual(Buffer.from(bytes));
  };
  check(Uint8Array.from({ length: 256 }, (_, i) => i));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check), { numRuns: 30 });
});
