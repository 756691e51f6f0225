/** Waiting for a task: `vrun`, `vbatch -f` and `vbatch --wait` (R3). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../server/client/client.ts';
import type { Program } from '../server/protocol/commandLine.ts';
import { endSentence, exitCodeOf } from '../server/protocol/exitCode.ts';
import { interrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { Screen } from './render/screen.ts';
import type { AtTerminal } from './terminal.ts';
import { mayRead, Typing } from './typing.ts';

/** What waiting needs of the client. */
export type WaitingClient = Pick<Client, 'task' | 'whenDone' | 'followLog' | 'cancel' | 'type'>;

export interface WaitOptions {
  program: Program | 'vctl';
  /** Pass the task's output on. */
  follow: boolean;
  /** Say nothing about how it ended. */
  quiet: boolean;
  /** What is typed at the terminal goes to the task. */
  typing: boolean;
  /** Sits down at the terminal that the task runs in. */
  terminal?: ((screen: Screen) => AtTerminal) | null;
}

/** How often the status line is renewed. */
const statusMs = 1_000;

/** Waits for the task. Resolves with the code to exit with. */
export async function waitFor(
  id: string,
  client: WaitingClient,
  io: Io,
  { program, follow, quiet, typing: types, terminal: sitDown }: WaitOptions,
): Promise<number> {
  const screen = new Screen(io);
  const leaving = new AbortController();
  // From the task's end on there is nothing to ask or to show, though output may still arrive.
  const over = new AbortController();
  const typing = types
    ? new Typing({ id, client, io, mayRead: () => mayRead(io.stdin), over: over.signal })
    : null;
  const terminal = sitDown?.(screen);
  const hold = async <T>(question: () => Promise<T>): Promise<T> => {
    typing?.suspend();
    terminal?.suspend();
    const answer = await screen.hold(question);
    typing?.resume();
    terminal?.resume();
    return answer;
  };
  const cancel = () => client.cancel(id);
  const left = interrupted({ id, program, io, screen, hold, over: over.signal, cancel });
  const ended = Promise.all([
    client.whenDone(id, leaving.signal).finally(() => over.abort()),
    terminal ? whenGone(id, terminal, screen, program) : null,
    follow && !terminal ? passOn(client.followLog(id, leaving.signal), screen) : null,
  ]);
  // Whoever leaves early has nothing more to do with what becomes of these.
  ended.catch(() => {});
  if (screen.live) void showStatus(id, client, screen, over.signal);
  try {
    const result = await Promise.race([ended, left, ...(terminal ? [whenLeft(terminal)] : [])]);
    if (typeof result === 'number') return result;
    const [task] = result;
    const sentence = endSentence(task);
    if (sentence !== null && !quiet) screen.note(`${program}: ${sentence}`);
    return exitCodeOf(task);
  } finally {
    await typing?.leave();
    terminal?.leave();
    leaving.abort();
    over.abort();
    screen.status(null);
  }
}

async function passOn(log: ReturnType<Client['followLog']>, screen: Screen): Promise<void> {
  for await (const { stream, data } of log) await screen.output(stream, data);
}

/** Resolves when the terminal is no more, though the task may go on. */
async function whenGone(id: string, terminal: AtTerminal, screen: Screen, program: string): Promise<void> {
  const departure = await terminal.departed;
  if (departure.kind === 'failed') throw departure.error;
  if (departure.kind === 'lost')
    screen.note(`${program}: the terminal of ${id} is gone: ${departure.reason}`);
}

/** The code to exit with when the person has left the terminal, as after Ctrl-C and `d`. */
async function whenLeft(terminal: AtTerminal): Promise<number> {
  const { kind } = await terminal.departed;
  return kind === 'left' ? 130 : await new Promise<never>(() => {});
}

/** Renews the status line until the wait is over. */
async function showStatus(
  id: string,
  client: WaitingClient,
  screen: Screen,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const task = await client.task(id).catch(() => null);
    if (over.aborted) return;
    if (task === null) screen.status(`${id}: the server does not answer`);
    else if (task.reason === null) screen.status(null);
    else screen.status(`${id} ${task.status}: ${task.reason}`);
    await sleep(statusMs, undefined, { signal: over }).catch(() => {});
  }
}
