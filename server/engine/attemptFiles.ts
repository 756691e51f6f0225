/** The files of attempts: brought to their hosts before they start, and what they have made taken when they end. */
import type { AttemptKey } from '../hosts/host.ts';
import type { Exit, Task } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { Core } from './core.ts';
import type { HostState } from './fleet.ts';
import { parseKey } from './logs.ts';
import type { Rooms } from './rooms.ts';
import type { Trees } from './trees/trees.ts';

/** How often results are asked for that a host does not give. */
const mostRefusals = 5;

/** `again`: to be tried again in a while. `dropped`: somebody else goes on with it, or the next connection does. */
export type Brought = 'ready' | 'again' | 'dropped' | { failed: string };

/** With what an attempt ends, or `again` and `dropped` as above. */
export type Taken = Exit | 'again' | 'dropped';

export class AttemptFiles {
  /** Attempts whose files are on their way. */
  private readonly bringing = new Set<AttemptKey>();
  /** Attempts that have ended, whose results are being taken. */
  private readonly taking = new Set<AttemptKey>();
  /** How often its host has refused to give an attempt's results. */
  private readonly refusals = new Map<AttemptKey, number>();

  constructor(
    private readonly core: Core,
    private readonly rooms: Rooms,
    private readonly trees: Trees,
    private readonly hostsChanged: () => void,
    private readonly log: (message: string) => void,
  ) {}

  /** Has the files of a task be on the host; null where they are. Never rejects. */
  bring(task: Task, key: AttemptKey, host: HostState): Promise<Brought> | null {
    if (this.bringing.has(key)) return Promise.resolve('dropped');
    const files = this.trees.prepare(task, host.host.name);
    return files && this.bringAll(files, key, host);
  }

  private async bringAll(files: Promise<void>, key: AttemptKey, host: HostState): Promise<Brought> {
    this.bringing.add(key);
    try {
      await files;
      await this.core.settled();
      return 'ready';
    } catch (error) {
      // Where the connection is over, the next one finds that the attempt has not started.
      if (isUnreachable(error)) return host.online ? 'again' : 'dropped';
      const { name } = host.host;
      if (!(error instanceof VbatchError)) this.log(`preparing ${key} on ${name}: ${String(error)}`);
      return { failed: `the files of the run cannot be brought to ${name}: ${messageOf(error)}` };
    } finally {
      this.bringing.delete(key);
    }
  }

  /** Whether results of this attempt are being taken. */
  isTaking(key: AttemptKey): boolean {
    return this.taking.has(key);
  }

  /** Has what an attempt has made become part of its run; null where there is nothing to be taken. Never rejects. */
  take(task: Task, key: AttemptKey, host: HostState, exit: Exit): Promise<Taken> | null {
    const results = this.trees.collectAfter(task, host.host.name);
    return results && this.takeAll(results, key, host, exit);
  }

  private async takeAll(
    results: Promise<void>,
    key: AttemptKey,
    host: HostState,
    exit: Exit,
  ): Promise<Taken> {
    this.taking.add(key);
    try {
      await results;
      this.refusals.delete(key);
      return exit;
    } catch (error) {
      return this.untaken(key, host, exit, error);
    } finally {
      this.taking.delete(key);
    }
  }

  /** An end without its results is no end yet: it is tried again, or reported again by a host that was lost. */
  private untaken(key: AttemptKey, { host, online }: HostState, exit: Exit, error: unknown): Taken {
    if (isUnreachable(error) && !online) return 'dropped';
    const text = messageOf(error);
    this.log(`taking what ${key} has made on ${host.name}: ${text}`);
    if (this.core.problem?.code === 'stateFailed') return 'dropped';
    // What is out of reach or has no room may take any time to change. A host that refuses may refuse for ever.
    if (!isUnreachable(error) && !(error instanceof VbatchError && error.code === 'diskFull')) {
      const refusals = (this.refusals.get(key) ?? 0) + 1;
      this.refusals.set(key, refusals);
      if (refusals >= mostRefusals) {
        this.refusals.delete(key);
        const reason = `what it made on ${host.name} cannot be taken: ${text}`;
        return exit.exitCode === 0 ? { exitCode: 125, signal: null, reason } : exit;
      }
    }
    this.rooms.moves.set(parseKey(key).task, `has ended; what it made cannot be taken yet: ${text}`);
    this.hostsChanged();
    return 'again';
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof VbatchError && error.code === 'unreachable';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
