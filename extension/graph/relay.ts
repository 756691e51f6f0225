/**
 * What a graph page in the editor asks for, and what comes of it. The page reaches the server only by this, so
 * that it knows neither port nor token, and works as well where the server is on another machine.
 */
import type { Place } from '../../logtext/references.ts';
import type { Client } from '../../server/client/client.ts';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { EditorMessage, PageMessage } from '../../webview/link/messages.ts';

export interface RelayOptions {
  readonly client: () => Promise<RelayedClient>;
  /** An event stream of its own for the page; returns how to stop it. */
  readonly stream: (below: string | null, listener: (event: StreamEvent) => void) => () => void;
  readonly post: (message: EditorMessage) => void;
  readonly showLog: (id: string) => void;
  readonly showPlace: (id: string, place: Place) => void;
  /** The page is there and waits to be told what to show. */
  readonly ready: () => void;
}

export type RelayedClient = Pick<
  Client,
  'task' | 'explain' | 'cancel' | 'retry' | 'hold' | 'release' | 'log' | 'logPlace'
>;

export class Relay {
  /** How to end what goes on, by call. */
  private readonly ends = new Map<number, () => void>();

  constructor(private readonly options: RelayOptions) {}

  take(message: PageMessage): void {
    switch (message.type) {
      case 'ready':
        // Its document was loaded anew: nobody hears what was asked before.
        this.dispose();
        return this.options.ready();
      case 'showLog':
        return this.options.showLog(message.id);
      case 'showPlace':
        return this.options.showPlace(message.id, message.place);
      case 'end':
        this.ends.get(message.call)?.();
        this.ends.delete(message.call);
        return;
      case 'stream': {
        const { call, query } = message;
        const tell = (event: StreamEvent) => this.options.post({ type: 'event', call, event: plain(event) });
        this.ends.set(call, this.options.stream(query.below ?? null, tell));
        return;
      }
      case 'log':
        void this.log(message);
        return;
      case 'request':
        void this.answer(message);
    }
  }

  /** The page is gone. */
  dispose(): void {
    for (const end of this.ends.values()) end();
    this.ends.clear();
  }

  private async answer({ call, method, path }: PageMessage & { type: 'request' }): Promise<void> {
    try {
      const answer = await request(await this.options.client(), method, path);
      this.options.post({ type: 'answer', call, answer });
    } catch (error) {
      this.options.post({ type: 'failure', call, message: (error as Error).message });
    }
  }

  private async log({ call, query }: PageMessage & { type: 'log' }): Promise<void> {
    const { id, attempt, tail } = query;
    const gone = new AbortController();
    this.ends.set(call, () => gone.abort());
    const { post } = this.options;
    try {
      const client = await this.options.client();
      const which = attempt === null ? {} : { attempt };
      const place = await client.logPlace(id, { ...which, position: -tail });
      post({ type: 'logBegin', call, before: place.before });
      const from = { ...which, ...place.before, follow: true };
      for await (const { stream, data } of client.log(id, from, gone.signal)) {
        // A copy: the editor would send a Buffer as a list of numbers, with all of the memory around it.
        post({ type: 'logData', call, stream, bytes: Uint8Array.from(data) });
      }
      post({ type: 'logEnd', call, error: null });
    } catch (error) {
      if (gone.signal.aborted) return;
      const { message } = error as Error;
      const isLost = error instanceof VbatchError && error.code === 'noServer';
      post(isLost ? { type: 'logLost', call, reason: message } : { type: 'logEnd', call, error: message });
    }
  }
}

/** A message is copied, and an error would lose what it says. */
function plain(event: StreamEvent): StreamEvent {
  if (event.type !== 'failed') return event;
  return { type: 'disconnected', reason: event.error.message };
}

/** Carries out what a page may ask, and nothing else. */
async function request(client: RelayedClient, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const [, text = '', rest = ''] = /^\/v1\/tasks\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
  const id = decodeURIComponent(text);
  switch (`${method} ${rest}`) {
    case 'GET ':
      return client.task(id);
    case 'GET explain':
      return client.explain(id);
    case 'POST cancel':
      return client.cancel(id);
    case 'POST retry':
      return client.retry(id);
    case 'POST hold':
      return client.hold(id);
    case 'POST release':
      return client.release(id);
    default:
      throw new VbatchError('forbidden', 'The graph page may look and steer, but not do this.');
  }
}
