/**
 * Tells the clients of the event stream what changes. Updates are gathered for 50 ms; each client
 * has at most one message under way, and what happens meanwhile waits in its backlog, so that a
 * client that stops reading costs little memory and holds up nobody. Knows nothing of sockets.
 */
import type { Logger } from 'pino';
import type { EngineService, Publication } from '../engine/service.ts';
import type { TaskNumber } from '../model/task.ts';
import type { StreamMessage } from '../protocol/tasks.ts';
import type { Timers } from '../timers.ts';
import { Backlog, type TaskText } from './backlog.ts';

/** Changes within this many milliseconds go out together. */
const gatherMs = 50;
/** A client that has not taken a message after this long is dropped. */
export const stallMs = 30_000;

/** A connection to one client. */
export interface Peer {
  /** Sends a message, and calls `sent` once the network has taken all of it. */
  send(message: string, sent: () => void): void;
  /** Says farewell if that is possible, and ends the connection. */
  drop(farewell: string): void;
}

export interface Subscription {
  /** From where to go on; null for all anew. */
  readonly after: number | null;
  /** Id of the task to which the stream is limited, or null. */
  readonly below: string | null;
  /** Only runs. */
  readonly top: boolean;
}

interface Client {
  readonly peer: Peer;
  readonly backlog: Backlog;
  /** Calls off the drop that follows unless the message under way is taken; null where none is. */
  underWay: (() => void) | null;
  /** Send on as soon as the message under way is taken, since a turn could not tell all that waited. */
  eager: boolean;
}

export class Hub {
  private readonly clients = new Set<Client>();
  private unsubscribe: (() => void) | null = null;
  private hostsChanged = false;
  private lastTurn = Number.NEGATIVE_INFINITY;
  private cancelTurn: (() => void) | null = null;

  constructor(
    private readonly engine: EngineService,
    private readonly timers: Timers,
    private readonly log: Logger,
  ) {}

  /** Starts telling a client. Returns how to stop when it has gone. */
  attach(peer: Peer, { after, below, top }: Subscription): () => void {
    this.unsubscribe ??= this.engine.subscribe((publication) => this.note(publication));
    const { sequence } = this.engine;
    // A sequence from the future is another state folder's.
    const since = after === null || after > sequence ? null : this.engine.changedSince(after);
    const backlog = new Backlog(sequence, since === null ? null : after, below, top);
    if (since === null) {
      backlog.add(sequence, top ? this.engine.runs() : this.engine.numbers(below), []);
    } else {
      // The backlog would leave out the others as well, but only after a look at each.
      const concerned = below === null ? null : new Set(this.engine.numbers(below));
      const changed = [...since.changed].filter((number) => concerned?.has(number) ?? true);
      backlog.add(sequence, changed.sort(ascending), since.removed);
    }
    const client: Client = { peer, backlog, underWay: null, eager: false };
    this.clients.add(client);
    this.advance(client, this.describer());
    void this.tellHosts([client]);
    return () => this.detach(client);
  }

  /** Stops everything; the connections are the caller's to end. */
  close(): void {
    for (const client of [...this.clients]) this.detach(client);
  }

  private detach(client: Client): void {
    client.underWay?.();
    this.clients.delete(client);
    if (this.clients.size > 0) return;
    this.unsubscribe?.();
    this.unsubscribe = null;
    this.cancelTurn?.();
    this.cancelTurn = null;
  }

  private note(publication: Publication): void {
    if (publication.type === 'hosts') {
      this.hostsChanged = true;
    } else {
      const { sequence, removed } = publication;
      const changed = [...publication.changed].sort(ascending);
      for (const { backlog } of this.clients) backlog.add(sequence, changed, removed);
    }
    const wait = Math.max(0, this.lastTurn + gatherMs - this.timers.now());
    this.cancelTurn ??= this.timers.after(wait, () => this.turn());
  }

  private turn(): void {
    this.cancelTurn = null;
    this.lastTurn = this.timers.now();
    const describe = this.describer();
    for (const client of this.clients) this.advance(client, describe);
    if (this.hostsChanged) void this.tellHosts([...this.clients]);
    this.hostsChanged = false;
  }

  private async tellHosts(clients: readonly Client[]): Promise<void> {
    try {
      const message: StreamMessage = { type: 'hosts', hosts: await this.engine.hosts() };
      const text = JSON.stringify(message);
      const describe = this.describer();
      for (const client of clients) {
        if (!this.clients.has(client)) continue;
        client.backlog.setHosts(text);
        this.advance(client, describe);
      }
    } catch (error) {
      this.log.error({ err: error }, 'the state of the hosts could not be told');
    }
  }

  /** Sends a client its next message, unless one is under way. */
  private advance(client: Client, describe: (number: TaskNumber) => TaskText | null): void {
    if (client.underWay !== null) {
      client.eager = true;
      return;
    }
    const message = client.backlog.take(describe);
    client.eager = !client.backlog.isEmpty;
    if (message === null) return;
    client.underWay = this.timers.after(stallMs, () => {
      this.detach(client);
      client.peer.drop(client.backlog.farewell());
    });
    // The message shows tasks as they are in memory; nobody may see what a crash could still undo.
    this.engine.whenSettled(() => {
      if (!this.clients.has(client)) return;
      client.peer.send(message, () => {
        client.underWay?.();
        client.underWay = null;
        if (client.eager && this.clients.has(client)) this.advance(client, this.describer());
      });
    });
  }

  /** Describes tasks as they are now, each at most once for however many clients ask. */
  private describer(): (number: TaskNumber) => TaskText | null {
    const known = new Map<TaskNumber, TaskText | null>();
    return (number) => {
      let task = known.get(number);
      if (task === undefined) {
        const [view] = this.engine.views([number]);
        task = view === undefined ? null : { id: view.id, text: JSON.stringify(view) };
        known.set(number, task);
      }
      return task;
    };
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
