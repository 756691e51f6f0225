/** Waiting for a task: `vrun`, `vbatch -f` and `vbatch --wait` (R3). */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogChunk } from '../server/engine/service.ts';
import type { Program } from '../server/protocol/commandLine.ts';
import { exitCodeOf, exitCodes } from '../server/protocol/exitCode.ts';
import type { ActionResult, TaskView } from '../server/protocol/tasks.ts';
import { ask, meaningOf, type Wish } from './interrupt.ts';
import type { Io } from './io.ts';
import { Screen } from './render/screen.ts';

/** What waiting needs of the client. */
export interface WaitingClient {
  task(id: string): Promise<TaskView>;
  /** Resolves when the task is done, over lost connections and restarts of the server. */
  whenDone(id: string, signal: AbortSignal): Promise<TaskView>;
  followLog(id: string, signal: AbortSignal): AsyncIterable<LogChunk>;
  cancel(id: string): Promise<ActionResult>;
}

export interface WaitOptions {
  program: Program;
  follow: boolean;
  quiet: boolean;
}

/** How often the status line is renewed. */
const statusMs = 1_000;

/** Waits for the task. Resolves with the code to exit with. */
export async function waitFor(
  id: string,
  client: WaitingClient,
  io: Io,
  options: WaitOptions,
): Promise<number> {
  const screen = new Screen(io);
  const leaving = new AbortController();
  const left = listen(id, client, io, screen, options.program, leaving.signal);
  const pump = options.follow ? passOn(client.followLog(id, leaving.signal), screen) : Promise.resolve();
  const ended = client.whenDone(id, leaving.signal);
  // Whoever leaves has nothing more to do with what becomes of these.
  pump.catch(() => {});
  ended.catch(() => {});
  if (screen.live) void showStatus(id, client, screen, leaving.signal);
  try {
    const done = Promise.all([ended, pump]).then(([task]) => task);
    const result = await Promise.race([done, left]);
    screen.status(null);
    if (typeof result === 'number') return result;
    if (!options.quiet) explainEnd(result, options.program, screen);
    return exitCodeOf(result);
  } finally {
    leaving.abort();
    screen.status(null);
  }
}

async function passOn(log: AsyncIterable<LogChunk>, screen: Screen): Promise<void> {
  for await (const { stream, data } of log) await screen.output(stream, data);
}

/** Renews the status line until `signal` aborts. */
async function showStatus(
  id: string,
  client: WaitingClient,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const task = await client.task(id).catch(() => null);
    if (signal.aborted) return;
    if (task === null) screen.status(`${id}: the server does not answer`);
    else if (task.reason === null) screen.status(null);
    else screen.status(`${id} ${task.status}: ${task.reason}`);
    await sleep(statusMs, undefined, { signal }).catch(() => {});
  }
}

/** A command that exits with its own code has spoken for itself; any other end is worth a sentence. */
function explainEnd(task: TaskView, program: Program, screen: Screen): void {
  const code = exitCodeOf(task);
  if (code === 0 || (code === task.exitCode && task.signal === null)) return;
  const reason = task.reason === null ? '' : `: ${task.reason}`;
  screen.note(`${program}: ${task.id} ended ${task.status}${reason}`);
}

/** Resolves with an exit code when somebody leaves the wait before its end. */
function listen(
  id: string,
  client: WaitingClient,
  io: Io,
  screen: Screen,
  program: Program,
  ended: AbortSignal,
): Promise<number> {
  return new Promise((resolve) => {
    let cancelling = false;
    let asking = false;
    const onSignal = async (signal: 'SIGINT' | 'SIGTERM') => {
      if (asking) return;
      const code = io.stdin.isTTY ? exitCodes.detached : 128 + constants.signals[signal];
      const meaning = cancelling ? 'detach' : meaningOf(signal, program, io);
      asking = meaning === 'ask';
      const wish: Wish = meaning === 'ask' ? await screen.hold(() => ask(io, id, ended)) : meaning;
      asking = false;
      if (ended.aborted || wish === 'continue') return;
      if (wish === 'detach') {
        screen.note(`${program}: ${id} goes on; \`vctl task watch ${id}\` shows it`);
        resolve(code);
        return;
      }
      cancelling = true;
      await client.cancel(id).then(
        ({ message }) => screen.note(`${program}: ${message}`),
        (error: Error) => {
          cancelling = false;
          screen.note(`${program}: cannot cancel ${id}: ${error.message}`);
        },
      );
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    ended.addEventListener('abort', () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal));
  });
}
