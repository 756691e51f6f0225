/** The way to the server from a browser. */
import { t } from '@vscode/l10n';
import { type ConnectionEvents, StreamRun } from '../../server/client/eventStreamRun.ts';
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import type { OutputMessage } from '../../server/protocol/logQueries.ts';
import type { StreamMessage } from '../../server/protocol/tasks.ts';
import { frameReader, messageOf } from './frames.ts';
import { type Link, type LogListener, type LogQuery, type StreamQuery, taskPath } from './link.ts';
import type { Pass } from './pass.ts';

const stateItem = 'vbatch.state';
/** How long after it was lost a log is asked for again. */
const logPauseMs = 1_000;

export class BrowserLink implements Link {
  readonly kind = 'browser';
  readonly showPlace = null;

  constructor(private readonly pass: Pass) {}

  async request<Answer>(method: 'GET' | 'POST', path: string): Promise<Answer> {
    await this.pass.confirm();
    let answer = await this.fetch(method, path);
    if (answer.status === 401) {
      this.pass.doubt();
      await this.pass.confirm();
      answer = await this.fetch(method, path);
    }
    if (!answer.ok) throw new Error(messageOf(await answer.text()));
    return (await answer.json()) as Answer;
  }

  stream(query: StreamQuery, listener: (event: StreamEvent) => void): () => void {
    const run = new StreamRun({
      connect: (after, events) => this.connect(query, after, events),
      listener,
      after(milliseconds, action) {
        const timer = setTimeout(action, milliseconds);
        return () => clearTimeout(timer);
      },
    });
    run.start();
    return () => run.stop();
  }

  log(query: LogQuery, listener: LogListener): () => void {
    let close = () => {};
    const open = () => {
      close = this.openLog(query, listener, () => {
        const timer = setTimeout(open, logPauseMs);
        close = () => clearTimeout(timer);
      });
    };
    open();
    return () => close();
  }

  showLog(id: string): void {
    location.hash = `#log/${encodeURIComponent(id)}`;
  }

  saved(): unknown {
    try {
      return JSON.parse(sessionStorage.getItem(stateItem) ?? 'null');
    } catch {
      return null;
    }
  }

  save(state: unknown): void {
    sessionStorage.setItem(stateItem, JSON.stringify(state));
  }

  private async fetch(method: string, path: string): Promise<Response> {
    const headers = { authorization: `Bearer ${this.pass.key}` };
    try {
      return await fetch(path, { method, headers });
    } catch (error) {
      this.pass.doubt();
      throw new Error(t('The vbatch server does not answer; it may have stopped.'), { cause: error });
    }
  }

  private connect(query: StreamQuery, after: number, events: ConnectionEvents): () => void {
    const parameters = new URLSearchParams({ after: String(after) });
    if (query.below !== undefined) parameters.set('below', query.below);
    if (query.top) parameters.set('top', 'true');
    return this.openSocket(`/v1/events?${parameters.toString()}`, {
      opened: () => events.opened(),
      message: (data) => events.message(JSON.parse(data as string) as StreamMessage),
      lost: (reason) => events.lost(reason),
    });
  }

  /** @param again called where the log was lost on the way. */
  private openLog({ id, attempt, tail }: LogQuery, listener: LogListener, again: () => void): () => void {
    const query = new URLSearchParams({ tail: String(tail) });
    if (attempt !== null) query.set('attempt', String(attempt));
    const read = frameReader();
    let isOver = false;
    const end = (error: string | null) => {
      if (!isOver) listener.end(error);
      isOver = true;
    };
    const take = (data: unknown) => {
      if (isOver) return;
      if (data instanceof ArrayBuffer) {
        for (const frame of read(new Uint8Array(data))) {
          if ('error' in frame) end(frame.error);
          else listener.data(frame.stream, frame.bytes);
        }
        return;
      }
      const message = JSON.parse(data as string) as OutputMessage;
      if (message.type === 'open') listener.begin(message.before);
      else if (message.type === 'failed') end(message.error.message);
      else end(null);
    };
    return this.openSocket(`${taskPath(id)}/output?${query.toString()}`, {
      opened: () => {},
      message: take,
      lost(reason) {
        if (isOver) return;
        listener.lost(reason);
        again();
      },
    });
  }

  /** Opens a WebSocket as soon as the key is good. Returns how to end it, after which nothing is told. */
  private openSocket(
    path: string,
    tell: { opened(): void; message(data: unknown): void; lost(reason: string): void },
  ): () => void {
    let socket: WebSocket | null = null;
    let isEnded = false;
    const lose = (reason: string) => {
      if (!isEnded) tell.lost(reason);
    };
    const open = () => {
      if (isEnded) return;
      // A browser cannot set headers on a WebSocket: the key is one of the protocols that it offers.
      socket = new WebSocket(`ws://${location.host}${path}`, ['vbatch', `vbatch.token.${this.pass.key}`]);
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('open', () => (isEnded ? socket?.close() : tell.opened()));
      socket.addEventListener('message', ({ data }: MessageEvent) => {
        if (!isEnded) tell.message(data);
      });
      // A browser does not say why a handshake was refused.
      socket.addEventListener('close', ({ wasClean }) => {
        if (!wasClean) this.pass.doubt();
        lose(t('the connection to the vbatch server is lost'));
      });
    };
    this.pass.confirm().then(open, (error: Error) => lose(error.message));
    return () => {
      isEnded = true;
      // A browser complains about what is closed before it is open.
      if (socket?.readyState !== WebSocket.CONNECTING) socket?.close();
    };
  }
}
