/** The terminal that a person sits at. */
import type { Terminal, TerminalSize } from '../server/model/task.ts';
import type { Io, Output } from './io.ts';
import { mayRead } from './typing.ts';

/** The terminal of this process; null where it has none, or has it in the background. */
export function ownTerminal({ stdin, stdout, env }: Io): Terminal | null {
  if (stdout.isTTY !== true || !mayRead(stdin)) return null;
  return { term: termOf(env), ...sizeOf(stdout) };
}

/** What kind of terminal it is. On Windows nobody says so, and its own ssh takes it for this one as well. */
export function termOf({ TERM }: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  const term = TERM ?? (platform === 'win32' ? 'xterm-256color' : '');
  return /^[\w.+:-]{1,100}$/.test(term) ? term : 'dumb';
}

/** The size of a terminal, or the usual one where it is not known. */
export function sizeOf({ rows, columns }: Output): TerminalSize {
  return { rows: rows || 24, columns: columns || 80 };
}
