/** The way to the server from a panel of the editor: the extension asks, and relays what comes. */
import type { Place } from '../../logtext/references.ts';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import type { Link, LogListener, LogQuery, StreamQuery } from './link.ts';
import type { EditorMessage, PageMessage } from './messages.ts';

interface EditorApi {
  postMessage(message: PageMessage): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): EditorApi;

interface Pending {
  readonly answer?: (answer: unknown) => void;
  readonly fail?: (error: Error) => void;
  readonly event?: (event: StreamEvent) => void;
  readonly log?: LogListener;
  /** Asks for it again, with the same number. */
  readonly again?: () => void;
}

/** How long after it was lost a log is asked for again. */
const logPauseMs = 1_000;

export class EditorLink implements Link {
  readonly kind = 'editor';
  private readonly api = acquireVsCodeApi();
  private readonly pending = new Map<number, Pending>();
  private calls = 0;

  /** @param show what to do when the person asks for another task. */
  constructor(private readonly show: (id: string) => void) {
    addEventListener('message', ({ data }: MessageEvent<EditorMessage>) => this.take(data));
    this.api.postMessage({ type: 'ready' });
  }

  request<Answer>(method: 'GET' | 'POST', path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = this.begin({ answer: (answer) => resolve(answer as Answer), fail: reject });
      this.api.postMessage({ type: 'request', call, method, path });
    });
  }

  stream(query: StreamQuery, event: (event: StreamEvent) => void): () => void {
    const call = this.begin({ event });
    this.api.postMessage({ type: 'stream', call, query });
    return () => this.end(call);
  }

  log(query: LogQuery, log: LogListener): () => void {
    const ask = () => this.api.postMessage({ type: 'log', call, query });
    const call = this.begin({ log, again: ask });
    ask();
    return () => this.end(call);
  }

  showLog(id: string): void {
    this.api.postMessage({ type: 'showLog', id });
  }

  readonly showPlace = (id: string, { path, line, column }: Place): void => {
    this.api.postMessage({ type: 'showPlace', id, place: { path, line, column } });
  };

  saved(): unknown {
    return this.api.getState() ?? null;
  }

  save(state: unknown): void {
    this.api.setState(state);
  }

  private begin(pending: Pending): number {
    this.calls += 1;
    this.pending.set(this.calls, pending);
    return this.calls;
  }

  private end(call: number): void {
    if (this.pending.delete(call)) this.api.postMessage({ type: 'end', call });
  }

  private take(message: EditorMessage): void {
    if (message.type === 'show') return this.show(message.id);
    const pending = this.pending.get(message.call);
    switch (message.type) {
      case 'answer':
        this.pending.delete(message.call);
        return pending?.answer?.(message.answer);
      case 'failure':
        this.pending.delete(message.call);
        return pending?.fail?.(new Error(message.message));
      case 'event':
        return pending?.event?.(message.event);
      case 'logBegin':
        return pending?.log?.begin(message.before);
      case 'logData':
        return pending?.log?.data(message.stream, message.bytes);
      case 'logLost':
        pending?.log?.lost(message.reason);
        setTimeout(() => this.pending.get(message.call)?.again?.(), logPauseMs);
        return;
      case 'logEnd':
        return pending?.log?.end(message.error);
    }
  }
}
