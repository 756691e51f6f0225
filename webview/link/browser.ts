/**
 * The way to the server from a browser. The key that lets the page in is kept in sessionStorage: unlike a
 * cookie, that belongs to this port alone, and no other server on this machine is ever sent it.
 */
import { t } from '@vscode/l10n';
import {
  nextStep,
  type StreamEvent,
  type StreamInput,
  type StreamState,
} from '../../server/client/eventStreamState.ts';
import type { OutputMessage } from '../../server/protocol/logQueries.ts';
import type { StreamMessage } from '../../server/protocol/tasks.ts';
import { frameReader, messageOf } from './frames.ts';
import { type Link, type LogListener, type LogQuery, type StreamQuery, taskPath } from './link.ts';

const keyItem = 'vbatch.key';
const stateItem = 'vbatch.state';

/** Exchanges the ticket in the page's address for a key, and takes it out of the address. Rejects in words. */
export async function letIn(): Promise<void> {
  const [, ticket, place = ''] = /^#open\/([\w-]+)(?:\/(.*))?$/s.exec(location.hash) ?? [];
  if (ticket === undefined) return;
  history.replaceState(null, '', place === '' ? '#' : `#run/${place}`);
  const body = JSON.stringify({ ticket });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/v1/page/key', { method: 'POST', headers, body });
  const text = await answer.text();
  if (answer.ok) sessionStorage.setItem(keyItem, (JSON.parse(text) as { key: string }).key);
  // The address may have been opened a second time in a tab that has been let in.
  else if (sessionStorage.getItem(keyItem) === null) throw new Error(messageOf(text));
}

export class BrowserLink implements Link {
  readonly kind = 'browser';
  readonly showPlace = null;

  async request<Answer>(method: 'GET' | 'POST', path: string): Promise<Answer> {
    const answer = await this.fetch(method, path);
    return (await answer.json()) as Answer;
  }

  stream(query: StreamQuery, listener: (event: StreamEvent) => void): () => void {
    const stream = new BrowserStream(query, listener);
    return () => stream.stop();
  }

  log({ id, attempt, tail }: LogQuery, listener: LogListener): () => void {
    const query = new URLSearchParams({ tail: String(tail) });
    if (attempt !== null) query.set('attempt', String(attempt));
    const socket = openSocket(`${taskPath(id)}/output?${query.toString()}`);
    socket.binaryType = 'arraybuffer';
    const read = frameReader();
    let over = false;
    const end = (error: string | null) => {
      if (!over) listener.end(error);
      over = true;
    };
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (over) return;
      if (typeof data !== 'string') {
        for (const frame of read(new Uint8Array(data))) {
          if ('error' in frame) end(frame.error);
          else listener.data(frame.stream, frame.bytes);
        }
        return;
      }
      const message = JSON.parse(data) as OutputMessage;
      if (message.type === 'open') listener.begin(message.before);
      else if (message.type === 'failed') end(message.error.message);
      else if (message.type === 'end') end(null);
    });
    socket.addEventListener('close', () => end(t('The connection to the log is lost.')));
    return () => {
      over = true;
      // A browser complains about what is closed before it is open.
      if (socket.readyState === WebSocket.CONNECTING) socket.addEventListener('open', () => socket.close());
      else socket.close();
    };
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
    const headers = { authorization: `Bearer ${sessionStorage.getItem(keyItem) ?? ''}` };
    let answer: Response;
    try {
      answer = await fetch(path, { method, headers });
    } catch (error) {
      throw new Error(
        t('The vbatch server does not answer; it may have stopped. `vctl open` opens this page again.'),
        { cause: error },
      );
    }
    if (!answer.ok) throw new Error(messageOf(await answer.text()));
    return answer;
  }
}

/** A browser cannot set headers on a WebSocket: the key is one of the protocols that it offers. */
function openSocket(path: string): WebSocket {
  const key = sessionStorage.getItem(keyItem) ?? '';
  return new WebSocket(`ws://${location.host}${path}`, ['vbatch', `vbatch.token.${key}`]);
}

/** A connection to the event stream that comes back by itself. What it does next is decided by `nextStep`. */
class BrowserStream {
  private state: StreamState = { phase: 'idle' };
  private socket: WebSocket | null = null;
  private pause = 0;

  constructor(
    private readonly query: StreamQuery,
    private readonly listener: (event: StreamEvent) => void,
  ) {
    this.take({ type: 'start' });
  }

  stop(): void {
    this.take({ type: 'stop' });
  }

  private take(input: StreamInput): void {
    const { state, effects } = nextStep(this.state, input);
    this.state = state;
    for (const effect of effects) {
      switch (effect.type) {
        case 'connect':
          this.connect(effect.after);
          break;
        case 'disconnect':
          this.socket?.close();
          this.socket = null;
          break;
        case 'pause':
          this.pause = setTimeout(() => this.take({ type: 'resumed' }), effect.milliseconds);
          break;
        case 'endPause':
          clearTimeout(this.pause);
          break;
        case 'tell':
          this.listener(effect.event);
          break;
      }
    }
  }

  private connect(after: number): void {
    const query = new URLSearchParams({ after: String(after) });
    if (this.query.below !== undefined) query.set('below', this.query.below);
    if (this.query.top) query.set('top', 'true');
    const socket = openSocket(`/v1/events?${query.toString()}`);
    this.socket = socket;
    socket.addEventListener('open', () => this.take({ type: 'opened' }));
    socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
      if (this.socket === socket) this.take({ type: 'message', message: JSON.parse(data) as StreamMessage });
    });
    // A browser does not say why a handshake was refused.
    socket.addEventListener('close', () => {
      if (this.socket !== socket) return;
      this.socket = null;
      const reason = t(
        'the connection to the vbatch server is lost; `vctl open` opens this page again if it does not come back',
      );
      this.take({ type: 'lost', reason, chance: Math.random() });
    });
  }
}
