import { expect, it } from 'vitest';
import { termOf } from '../../../cli/ownTerminal.ts';

it('has the name that its environment gives it, and on Windows one all the same', () => {
  expect(termOf({ TERM: 'xterm' }, 'win32')).toBe('xterm');
  expect(termOf({}, 'win32')).toBe('xterm-256color');
  expect(termOf({}, 'linux')).toBe('dumb');
  expect(termOf({ TERM: 'a b' }, 'linux')).toBe('dumb');
});
