/** Keeps one agent running, however it is reached: when it ends, the next one is started. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostEvent } from './events.ts';
import type { AgentListener, AgentProcess } from './process.ts';

/** Pauses before the next agent, in milliseconds; the last one stays. */
const pauses = [0, 100, 500, 2_000, 5_000] as const;
/** After an agent that lived this long the pauses start over. Milliseconds. */
const healthy = 10_000;

export interface AgentEvents {
  /** The agent carries out orders from now on. */
  ready(agent: AgentProcess): void;
  event(event: HostEvent): void;
  /** There is no agent now; `why` is a clause. */
  gone(why: string): void;
  log(message: string): void;
}

/** Resolves when `signal` has been aborted and the last agent has ended. */
export async function keepAgent(
  start: (listener: AgentListener) => Promise<AgentProcess>,
  events: AgentEvents,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const since = performance.now();
    const why = await runAgent(start, events, signal).catch((error: Error) => error.message);
    events.gone(why);
    failures = performance.now() - since > healthy ? 0 : failures + 1;
    const pause = pauses[Math.min(failures, pauses.length) - 1] ?? 0;
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

/** The life of one agent; resolves with how it ended. */
function runAgent(
  start: (listener: AgentListener) => Promise<AgentProcess>,
  events: AgentEvents,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let agent: AgentProcess | null = null;
    let unfit = false;
    const close = () => void agent?.close();
    signal.addEventListener('abort', close);
    const listener: AgentListener = {
      event(event) {
        if (event.type === 'ready') {
          if (agent) events.ready(agent);
        } else if (event.type === 'unfit') unfit = true;
        else events.event(event);
      },
      ended(how) {
        signal.removeEventListener('abort', close);
        resolve(
          unfit
            ? 'tasks cannot be detached from it without bash or setsid; install one of them'
            : `its agent is not running: ${how}`,
        );
      },
      log: events.log,
    };
    start(listener).then((started) => {
      agent = started;
      if (signal.aborted) close();
    }, reject);
  });
}
