import { describe, expect, it } from 'vitest';
import { lensLine } from '../../../../extension/codelens/place.ts';

const at = (path: string, language: string, text: string) =>
  lensLine({ path, language, lines: text.split('\n') });

describe('where the lens stands', () => {
  it('is the first line of a shell script', () => {
    expect(at('/a.sh', 'shellscript', 'ls')).toBe(0);
    expect(at('/a.sh', 'plaintext', '')).toBe(0);
    expect(at('/tool', 'plaintext', '#!/usr/bin/env bash')).toBe(0);
  });

  it('is where a Python program begins, else its shebang', () => {
    expect(at('/a.py', 'python', 'import os\n\nif __name__ == "__main__":\n  pass')).toBe(2);
    expect(at('/a.py', 'python', '#!/usr/bin/env python\nprint(1)')).toBe(0);
    expect(at('/a.py', 'python', "  if __name__ == '__main__':")).toBeNull();
  });

  it('is nowhere in a module or in other texts', () => {
    expect(at('/a.py', 'python', 'def f(): pass')).toBeNull();
    expect(at('/a.txt', 'plaintext', 'bash')).toBeNull();
    expect(at('/a', 'plaintext', '#!/usr/bin/perl')).toBeNull();
  });
});
