/**
 * What one client of the event stream has yet to be told. Only the numbers of changed tasks are
 * kept, and a task is told as it is when its turn comes: however slowly a client reads and however
 * often a task changes, a client costs at most one number for each task.
 */
import type { TaskNumber } from '../model/task.ts';
import type { StreamMessage } from '../protocol/tasks.ts';

/** A task as it is now: its id, and its view as JSON. */
export interface TaskText {
  readonly id: string;
  readonly text: string;
}

/** Most tasks in one message. */
const maxMessageTasks = 500;
/** A message is closed once it is longer than this many characters; one task may be longer by itself. */
const maxMessageLength = 256 * 1024;

export class Backlog {
  private hello: string | null;
  private readonly changed = new Set<TaskNumber>();
  private readonly removed = new Set<string>();
  private hosts: string | null = null;
  /** Whether the client has been told all that it asked for when it connected. */
  private caughtUp = false;
  /** From here the client misses nothing if it reconnects now; what messages carry until all is told. */
  private complete: number;

  /**
   * `sequence` is that of the newest change noted, at first the server's own; `after` is from where
   * the client goes on, or null where it must forget what it knows and gets all anew; `below`
   * limits it to that task and what lies below it, `top` to runs.
   */
  constructor(
    private sequence: number,
    after: number | null,
    private readonly below: string | null,
    private readonly top = false,
  ) {
    this.complete = after ?? 0;
    this.hello = stringify({ type: 'hello', sequence, reset: after === null });
  }

  /** Whether there is anything to tell. */
  get isEmpty(): boolean {
    return this.caughtUp && this.changed.size === 0 && this.removed.size === 0 && this.hosts === null;
  }

  /** Notes the changes up to `sequence`: tasks, parents before children, and ids that are gone. */
  add(sequence: number, changed: Iterable<TaskNumber>, removed: Iterable<string>): void {
    this.sequence = sequence;
    for (const number of changed) this.changed.add(number);
    for (const id of removed) if (this.concerns(id)) this.removed.add(id);
  }

  /** Notes the hosts' newest state, as a finished message. */
  setHosts(message: string): void {
    this.hosts = message;
  }

  /**
   * The next message to send, or null where there is nothing to tell. `describe` gives a task's
   * present state, or null if it is gone.
   */
  take(describe: (number: TaskNumber) => TaskText | null): string | null {
    if (this.hello !== null) {
      const hello = this.hello;
      this.hello = null;
      return hello;
    }
    const { tasks, removed } = this.collect(describe);
    const isWhole = this.changed.size === 0 && this.removed.size === 0;
    if (isWhole) this.complete = this.sequence;
    if (tasks.length > 0 || removed.length > 0 || !this.caughtUp) {
      if (isWhole) this.caughtUp = true;
      const ids = JSON.stringify(removed);
      return `{"type":"tasks","sequence":${this.complete},"tasks":[${tasks.join(',')}],"removed":${ids}}`;
    }
    const hosts = this.hosts;
    this.hosts = null;
    return hosts;
  }

  /** What a client that reads too slowly is told at last. */
  farewell(): string {
    return stringify({ type: 'dropped', sequence: this.complete });
  }

  /** Takes as much out of the backlog as one message holds. */
  private collect(describe: (number: TaskNumber) => TaskText | null): { tasks: string[]; removed: string[] } {
    const tasks: string[] = [];
    const removed: string[] = [];
    let length = 0;
    for (const id of this.removed) {
      if (length >= maxMessageLength) break;
      this.removed.delete(id);
      removed.push(id);
      length += id.length;
    }
    for (const number of this.changed) {
      if (length >= maxMessageLength || tasks.length === maxMessageTasks) break;
      this.changed.delete(number);
      const task = describe(number);
      if (task === null || !this.concerns(task.id)) continue;
      tasks.push(task.text);
      length += task.text.length;
    }
    return { tasks, removed };
  }

  private concerns(id: string): boolean {
    if (this.top && id.includes('/')) return false;
    return this.below === null || id === this.below || id.startsWith(`${this.below}/`);
  }
}

function stringify(message: StreamMessage): string {
  return JSON.stringify(message);
}
