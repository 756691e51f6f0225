import { expect, it } from 'vitest';
import { isInteractiveShell } from '../../../server/protocol/interactiveShell.ts';

it.each([
  ['bash'],
  ['/usr/bin/zsh', '-l'],
  ['sh', '-i', '-e'],
  ['bash', '--norc', '--noprofile'],
  ['bash', '--rcfile', 'my rc', '-i'],
  ['bash', '-o', 'vi', '+o', 'posix', '-O', 'extglob'],
  ['fish', '-N'],
  ['dash', '-'],
  ['ksh', '--'],
  ['tcsh', '-f'],
])('takes %j %j %j for a shell to type into', (...command) => {
  expect(isInteractiveShell(command)).toBe(true);
});

it.each([
  [],
  ['bash', '-c', 'true'],
  ['bash', '-lc', 'true'],
  ['bash', '-ic'],
  ['fish', '--command=ls'],
  ['sh', 'script.sh'],
  ['sh', '-e', 'script.sh'],
  ['sh', '--', 'script.sh'],
  ['bash', '-', 'script.sh'],
  ['zsh', '-f', './x'],
  ['python'],
  ['bashful'],
  ['bash/x'],
  [''],
])('takes %j %j %j for a command', (...command) => {
  expect(isInteractiveShell(command)).toBe(false);
});
