import { describe, expect, it } from 'vitest';
import { parseRequest } from '../../../server/hosts/calls.ts';

const request = "vrun\0/work\x002\0a\0\0export A='1'\n\0END\n";

describe('parseRequest', () => {
  it('reads a whole request', () => {
    expect(parseRequest(Buffer.from(request))).toEqual({
      program: 'vrun',
      directory: '/work',
      args: ['a', ''],
      exports: Buffer.from("export A='1'\n"),
    });
  });

  it('takes no torn one', () => {
    for (let length = 0; length < request.length; length++) {
      expect(parseRequest(Buffer.from(request.slice(0, length))), String(length)).toBeNull();
    }
  });

  it('takes none whose count cannot be', () => {
    for (const count of ['-1', 'x', '1e9']) {
      expect(parseRequest(Buffer.from(`vbatch\0/\0${count}\0\0END\n`)), count).toBeNull();
    }
  });
});
