/** What Ctrl-C and signals mean while a task is waited for. */
import { constants } from 'node:os';
import { ReadStream } from 'node:tty';
import type { Program } from '../server/protocol/commandLine.ts';
import type { ActionResult } from '../server/protocol/tasks.ts';
import type { Io } from './io.ts';
import type { Screen } from './render/screen.ts';

/** What a person, or whoever sent the signal, wants. */
type Wish = 'detach' | 'cancel' | 'continue';
type Signal = (typeof obeyed)[number];

const obeyed = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A wait that may be interrupted. */
export interface Interruptible {
  id: string;
  program: Program | 'vctl';
  io: Io;
  screen: Screen;
  /** Keeps everything else off the terminal while a question is open. */
  hold: <T>(question: () => Promise<T>) => Promise<T>;
  /** Aborts when the wait is over. */
  over: AbortSignal;
  cancel: () => Promise<ActionResult>;
}

/**
 * Resolves with an exit code when the wait is to be left before the task's end. A cancelled task is
 * waited for to its end, which the first further signal cuts short.
 */
export function interrupted(wait: Interruptible): Promise<number> {
  return new Promise((resolve) => {
    let asking = false;
    let cancelling = false;
    const obey = async (signal: Signal) => {
      if (asking && signal === 'SIGINT') return;
      const meaning = cancelling ? 'detach' : meaningOf(signal, wait);
      asking = meaning === 'ask';
      const wish = meaning === 'ask' ? await wait.hold(() => ask(wait)) : meaning;
      asking = false;
      if (wait.over.aborted || wish === 'continue') return;
      if (wish === 'cancel') {
        cancelling = true;
        cancelling = await cancelled(wait);
        return;
      }
      const what = cancelling ? `the cancellation of ${wait.id}` : wait.id;
      // A terminal that has been closed cannot be written to.
      if (signal !== 'SIGHUP')
        wait.screen.note(`${wait.program}: ${what} goes on; \`vctl task watch ${wait.id}\` shows it`);
      resolve(128 + constants.signals[signal]);
    };
    const listener = (signal: Signal) => void obey(signal);
    const { signals } = wait.io;
    for (const signal of obeyed) signals.on(signal, listener);
    wait.over.addEventListener('abort', () => {
      for (const signal of obeyed) signals.off(signal, listener);
    });
  });
}

/**
 * A terminal is asked about SIGINT, and detaches when it is closed. Else a task belongs to its `vrun`, as
 * a job belongs to its srun, and is cancelled with it; what `vbatch` has submitted goes on by itself.
 */
function meaningOf(signal: Signal, { program, io }: Interruptible): Wish | 'ask' {
  if (signal === 'SIGHUP') return 'detach';
  if (signal === 'SIGINT' && io.stdin.isTTY && io.stderr.isTTY === true) return 'ask';
  return program === 'vrun' ? 'cancel' : 'detach';
}

/** Asks for the cancellation, and says what came of it. Whether the server has agreed. */
async function cancelled({ program, id, screen, cancel }: Interruptible): Promise<boolean> {
  try {
    screen.note(`${program}: ${(await cancel()).message}`);
    return true;
  } catch (error) {
    screen.note(`${program}: cannot cancel ${id}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** Reads one key. Any that is none of the three waits on, and so does the end of the wait. */
function ask({ io, id, over }: Interruptible): Promise<Wish> {
  const { stderr } = io;
  // What Ctrl-D has ended cannot be read from any more, but the terminal can.
  const stdin = io.stdin.readable ? io.stdin : new ReadStream(0);
  stderr.write(`\n${id} goes on: [d]etach, [c]ancel, or Ctrl-C again to cancel; any other key waits on `);
  return new Promise((resolve) => {
    const answer = (wish: Wish) => {
      stdin.off('data', onKey);
      stdin.setRawMode(false);
      stdin.pause();
      over.removeEventListener('abort', onOver);
      stderr.write('\n');
      resolve(wish);
    };
    const onOver = () => answer('continue');
    const onKey = (key: Buffer) => answer(wishOf(key.toString()));
    over.addEventListener('abort', onOver);
    // In raw mode Ctrl-C arrives as a character instead of a signal.
    stdin.setRawMode(true);
    stdin.on('data', onKey);
    stdin.resume();
  });
}

function wishOf(key: string): Wish {
  if (key === 'd' || key === 'D') return 'detach';
  return key === 'c' || key === 'C' || key === '\x03' ? 'cancel' : 'continue';
}
