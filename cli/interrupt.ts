/** What Ctrl-C and SIGTERM mean while a task is waited for. */

import type { Program } from '../server/protocol/commandLine.ts';
import type { Io } from './io.ts';

/** What a person, or whoever sent the signal, wants. */
export type Wish = 'detach' | 'cancel' | 'continue';

/**
 * What a signal means. A terminal is asked about SIGINT. Else a task belongs to its `vrun`, as a job
 * belongs to its srun, and is cancelled with it; what `vbatch` has submitted goes on by itself.
 */
export function meaningOf(signal: 'SIGINT' | 'SIGTERM', program: Program, io: Io): Wish | 'ask' {
  if (signal === 'SIGINT' && io.stdin.isTTY && io.stderr.isTTY === true) return 'ask';
  return program === 'vrun' ? 'cancel' : 'detach';
}

/** Reads one key. Any that is none of the three goes on waiting, and so does an aborted question. */
export function ask(io: Io, id: string, aborted: AbortSignal): Promise<Wish> {
  io.stderr.write(`\n${id} goes on: [d]etach, [c]ancel, or Ctrl-C again to cancel; any other key waits on `);
  return new Promise((resolve) => {
    const answer = (wish: Wish) => {
      io.stdin.off('data', onKey);
      io.stdin.setRawMode(false);
      io.stdin.pause();
      aborted.removeEventListener('abort', onAbort);
      io.stderr.write('\n');
      resolve(wish);
    };
    const onAbort = () => answer('continue');
    const onKey = (key: Buffer) => answer(wishOf(key.toString()));
    aborted.addEventListener('abort', onAbort);
    // In raw mode Ctrl-C arrives as a character instead of a signal.
    io.stdin.setRawMode(true);
    io.stdin.on('data', onKey);
    io.stdin.resume();
  });
}

function wishOf(key: string): Wish {
  if (key === 'd' || key === 'D') return 'detach';
  return key === 'c' || key === 'C' || key === '\x03' ? 'cancel' : 'continue';
}
