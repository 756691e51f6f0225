/** Keeps one agent running, however it is reached: when it ends, the next one is started. */
import { type ErrorCode, VbatchError } from '../../protocol/errors.ts';
import { realTimers, type Timers } from '../../timers.ts';
import type { HostEvent } from './events.ts';
import type { AgentListener, AgentProcess } from './process.ts';

/** How long to wait before the next agent. */
export interface Retries {
  /** Pauses after so many failures in a row, in milliseconds; the last one stays. */
  readonly pauses: readonly number[];
  /** The same after a failure that another try by itself will not mend. */
  readonly rarePauses: readonly number[];
  /** A number from 0 to 1. It spreads the pauses, so that not everybody comes back at once. */
  readonly random: () => number;
  readonly timers: Timers;
}

/** For an agent that is a child process: nobody else is in the way. */
export const localRetries: Retries = {
  pauses: [0, 100, 500, 2_000, 5_000],
  rarePauses: [5_000],
  random: () => 0.5,
  timers: realTimers,
};

/**
 * For an agent over a network. The rare pauses let a host that bans whoever fails to log in five times
 * within ten minutes, as fail2ban does unless told otherwise, see four failures in that time.
 */
export const remoteRetries: Retries = {
  pauses: [0, 200, 500, 1_000, 2_000, 3_000, 5_000, 5_000, 5_000, 5_000, 10_000, 15_000, 30_000],
  rarePauses: [60_000, 120_000, 300_000, 600_000],
  random: Math.random,
  timers: realTimers,
};

/** After an agent that lived this long the pauses start over. Milliseconds. */
const healthy = 10_000;

/** Codes of failures that last until a person does something. */
const lasting: ReadonlySet<ErrorCode> = new Set(['refused', 'configuration', 'invalid']);

/** The machine has what it takes to start an agent, but not to start a task. */
class Unfit extends Error {
  constructor() {
    super('tasks cannot be detached from it without bash or setsid; install one of them');
  }
}

export interface AgentEvents {
  /** The agent carries out orders from now on. */
  ready(agent: AgentProcess): void;
  event(event: HostEvent): void;
  /** There is no agent now; the message of `why` is a clause, or a sentence where it is a VbatchError. */
  gone(why: Error): void;
  log(message: string): void;
}

/** Starts an agent; rejects when `signal` aborts first. */
export type StartAgent = (listener: AgentListener, signal: AbortSignal) => Promise<AgentProcess>;

export class AgentKeeper {
  private running: Promise<void> = Promise.resolve();
  private isClosed = false;
  private isLetGo = false;
  /** What ends the agent that runs or is being started. */
  private life: AbortController | null = null;
  /** Since when that is ready, or null. */
  private readySince: number | null = null;
  /** Its end is none to tell of. */
  private isSuperseded = false;
  private failures = 0;
  private wake: () => void = () => {};

  constructor(
    private readonly start: StartAgent,
    private readonly events: AgentEvents,
    private readonly retries: Retries,
  ) {}

  /** Starts the first agent at once, unless it has been let go of. */
  open(): void {
    this.running = this.keep();
  }

  /** Tries again at once: an agent that is being started is given up, one that is ready stays. */
  retry(): void {
    this.isLetGo = false;
    this.failures = 0;
    if (this.life === null) this.wake();
    else if (this.readySince === null) this.supersede();
  }

  /** Ends the agent, tells `why` it is gone, and starts none until `retry`. */
  letGo(why: Error): void {
    this.isLetGo = true;
    this.supersede();
    this.readySince = null;
    this.events.gone(why);
    this.wake();
  }

  /** Resolves when the last agent has ended. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.life?.abort();
    this.wake();
    await this.running;
  }

  private supersede(): void {
    if (this.life === null) return;
    this.isSuperseded = true;
    this.life.abort();
  }

  private async keep(): Promise<void> {
    while (!this.isClosed) {
      if (this.isLetGo) {
        await this.pause(null);
        continue;
      }
      this.life = new AbortController();
      const why = await this.live(this.life.signal).catch((error: Error) => error);
      this.life = null;
      if (this.isSuperseded) {
        this.isSuperseded = false;
        continue;
      }
      const isHealthy = this.readySince !== null && this.retries.timers.now() - this.readySince > healthy;
      this.failures = isHealthy ? 0 : this.failures + 1;
      this.readySince = null;
      this.events.gone(why);
      if (!this.isClosed) await this.pause(this.pauseAfter(why));
    }
  }

  /** The life of one agent; resolves with how it ended. */
  private live(signal: AbortSignal): Promise<Error> {
    return new Promise((resolve, reject) => {
      let agent: AgentProcess | null = null;
      let unfit = false;
      const close = () => void agent?.close();
      signal.addEventListener('abort', close);
      const listener: AgentListener = {
        event: (event) => {
          if (event.type === 'unfit') unfit = true;
          else if (event.type !== 'ready') this.events.event(event);
          else if (agent && !signal.aborted) {
            this.readySince = this.retries.timers.now();
            this.events.ready(agent);
          }
        },
        ended(how) {
          signal.removeEventListener('abort', close);
          resolve(unfit ? new Unfit() : new Error(`its agent is not running: ${how}`));
        },
        log: (message) => this.events.log(message),
      };
      this.start(listener, signal).then((started) => {
        agent = started;
        if (signal.aborted) close();
      }, reject);
    });
  }

  /** Milliseconds, up to a quarter more or less than the list says. */
  private pauseAfter(why: Error): number {
    const isLasting = why instanceof Unfit || (why instanceof VbatchError && lasting.has(why.code));
    const pauses = isLasting ? this.retries.rarePauses : this.retries.pauses;
    const pause = pauses[Math.min(this.failures, pauses.length) - 1] ?? 0;
    return pause * (0.75 + this.retries.random() / 2);
  }

  /** Resolves when the time is over or somebody wakes it; null is for ever. */
  private pause(milliseconds: number | null): Promise<void> {
    return new Promise((resolve) => {
      const cancel = milliseconds === null ? () => {} : this.retries.timers.after(milliseconds, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
