import { describe, expect, it } from 'vitest';
import { commandOf, isScript } from '../../../../extension/run/script.ts';

const script = { path: '/w/a b.sh', language: 'shellscript', head: '#!/bin/bash -e', isExecutable: true };

describe('a script', () => {
  it('is what is for a shell or for Python, or says itself what runs it', () => {
    const plain = { path: '/w/notes', language: 'plaintext', head: 'to do' };
    expect(isScript(plain)).toBe(false);
    expect(isScript({ ...plain, path: '/w/notes.sh' })).toBe(true);
    expect(isScript({ ...plain, language: 'python' })).toBe(true);
    expect(isScript({ ...plain, head: '#!/usr/bin/perl' })).toBe(true);
  });
});

describe('the command of a script', () => {
  it('is the script where it starts by itself', () => {
    expect(commandOf(script, ['x y'], 'python3')).toEqual(['./a b.sh', 'x y']);
  });

  it('is what its first line names where it may not be executed', () => {
    expect(commandOf({ ...script, isExecutable: false }, [], 'python3')).toEqual([
      '/bin/bash',
      '-e',
      'a b.sh',
    ]);
    const env = { ...script, head: '#!/usr/bin/env -S python -u', isExecutable: false };
    expect(commandOf(env, [], 'python3')).toEqual(['python', '-u', 'a b.sh']);
  });

  it('goes by the language where no line says more, executable or not', () => {
    expect(commandOf({ ...script, head: 'echo' }, [], 'python3')).toEqual(['bash', 'a b.sh']);
    const python = { path: '/w/t.py', language: 'python', head: 'import os', isExecutable: false };
    expect(commandOf(python, ['--x'], '/venv/bin/python')).toEqual(['/venv/bin/python', 't.py', '--x']);
  });
});
