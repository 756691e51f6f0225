/** The window's link to the server: found or started once, kept, and found again. Knows nothing of VS Code. */
import type { Client } from '../../server/client/client.ts';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import type { Discovery } from '../../server/protocol/discovery.ts';
import { VbatchError } from '../../server/protocol/errors.ts';

export type ConnectionState =
  /** Nothing runs and nothing has wanted it yet. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly version: string }
  /** `reason` is a sentence for a person. `mismatch`: a server of another version runs, and has to be restarted. */
  | { readonly kind: 'lost'; readonly reason: string; readonly mismatch: boolean };

export interface Stream {
  start(): void;
  stop(): void;
}

export interface LinkOptions {
  /** A client of the server; with `start`, one is started where none runs. */
  readonly open: (start: boolean) => Promise<Client>;
  /** What the running server has published of itself, or null. A server that was killed leaves it behind. */
  readonly published: () => Discovery | null;
  readonly stream: (client: Client, listener: (event: StreamEvent) => void) => Stream;
  /** Throws why nothing may be started or asked here, as in an untrusted workspace. */
  readonly permit: () => void;
  readonly changed: (state: ConnectionState) => void;
  readonly received: (event: StreamEvent) => void;
}

export class Link {
  private current: ConnectionState = { kind: 'idle' };
  private opening: Promise<Client> | null = null;
  private opened: { readonly client: Client; readonly stream: Stream } | null = null;
  private closed = false;

  constructor(private readonly options: LinkOptions) {}

  get state(): ConnectionState {
    return this.current;
  }

  /** A client of the running server; starts one where there is none. Throws a sentence for a person. */
  async client(): Promise<Client> {
    this.options.permit();
    if (this.opened !== null && this.options.published() !== null) return this.opened.client;
    this.opening ??= this.open().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  /** Joins a server that has published itself. One that was killed is started again: its work must go on. */
  async join(): Promise<void> {
    if (this.closed || this.opened !== null || this.options.published() === null) return;
    // The state says why where that fails.
    await this.client().catch(() => {});
  }

  /** Ends the link. The server stays. */
  close(): void {
    this.closed = true;
    this.drop();
  }

  /** The server was stopped, whichever it was: there is none until the next wish. */
  forget(): void {
    this.drop();
    this.become({ kind: 'idle' });
  }

  private drop(): void {
    this.opened?.stream.stop();
    this.opened?.client.close();
    this.opened = null;
  }

  private async open(): Promise<Client> {
    this.drop();
    this.become({ kind: 'connecting' });
    try {
      const client = await this.options.open(true);
      const stream = this.options.stream(client, (event) => this.take(event));
      this.opened = { client, stream };
      stream.start();
      return client;
    } catch (error) {
      this.become(lost(error as Error));
      throw error;
    }
  }

  private take(event: StreamEvent): void {
    if (this.closed) return;
    if (event.type === 'failed') {
      this.drop();
      this.become(lost(event.error));
    } else if (event.type === 'disconnected') {
      // A server that was stopped takes its file along. The next one is joined as soon as it publishes itself.
      const stopped = this.options.published() === null;
      if (stopped) this.drop();
      this.become(stopped ? { kind: 'idle' } : { kind: 'lost', reason: event.reason, mismatch: false });
    } else if (this.current.kind !== 'connected') {
      this.become({ kind: 'connected', version: this.options.published()?.version ?? '' });
    }
    this.options.received(event);
  }

  private become(state: ConnectionState): void {
    this.current = state;
    this.options.changed(state);
  }
}

function lost(error: Error): ConnectionState {
  const mismatch = error instanceof VbatchError && error.code === 'refused';
  return { kind: 'lost', reason: error.message, mismatch };
}
