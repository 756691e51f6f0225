/** The event stream as a client sees it: connects, reconnects and resumes by itself until it is stopped. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { type ErrorBody, errorEntry, isErrorCode, VbatchError } from '../protocol/errors.ts';
import type { StreamMessage } from '../protocol/tasks.ts';
import { lastingTimers, type Timers } from '../timers.ts';
import { type ConnectionEvents, StreamRun } from './eventStreamRun.ts';
import type { StreamEvent } from './eventStreamState.ts';
import type { Address } from './transport.ts';

/** A server that does not finish the handshake within this time is taken for gone. */
const handshakeMs = 10_000;

export interface EventStreamOptions {
  /** Where the server is; asked before every connection, since it may have moved. */
  readonly locate: () => Promise<Address>;
  /** Only this task and what lies below it; null for all. */
  readonly below: string | null;
  readonly listener: (event: StreamEvent) => void;
  readonly timers?: Timers;
}

export class EventStream {
  private readonly run: StreamRun;

  constructor(private readonly options: EventStreamOptions) {
    const { listener, timers = lastingTimers } = options;
    this.run = new StreamRun({
      connect: (after, events) => this.connect(after, events),
      listener,
      after: (milliseconds, action) => timers.after(milliseconds, action),
    });
  }

  /** Connects. The listener hears of everything from now on. */
  start(): void {
    this.run.start();
  }

  /** Ends for good. The listener hears nothing more. */
  stop(): void {
    this.run.stop();
  }

  private connect(after: number, events: ConnectionEvents): () => void {
    let socket: WebSocket | null = null;
    let isEnded = false;
    this.options.locate().then(
      (address) => {
        if (!isEnded) socket = this.open(address, after, events);
      },
      (error: Error) => fail(error, events),
    );
    return () => {
      isEnded = true;
      socket?.terminate();
    };
  }

  private open({ port, token }: Address, after: number, events: ConnectionEvents): WebSocket {
    const { below } = this.options;
    const query = `after=${after}${below === null ? '' : `&below=${encodeURIComponent(below.toWellFormed())}`}`;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/events?${query}`, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: handshakeMs,
      perMessageDeflate: false,
    });
    let reason = 'the server ended the connection';
    let isRefused = false;
    socket.on('open', () => events.opened());
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as StreamMessage;
      if (message.type === 'dropped') reason = 'the server dropped this client, which reads too slowly';
      events.message(message);
    });
    socket.on('unexpected-response', (request, response) => {
      isRefused = true;
      void errorOf(response).then((error) => {
        request.destroy();
        fail(error, events);
      });
    });
    // A `close` follows.
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      if (!isRefused) events.lost(reason);
    });
    return socket;
  }
}

function fail(error: Error, events: ConnectionEvents): void {
  if (isLasting(error)) events.refused(error);
  else events.lost(error.message);
}

/** Whether the next try would fail the same way. A wrong token is that of a server before the present one. */
function isLasting(error: Error): error is VbatchError {
  if (!(error instanceof VbatchError) || error.code === 'unauthorized' || error.code === 'internal')
    return false;
  return !errorEntry(error.code).retryable;
}

/** The error that a handshake was answered with. */
export async function errorOf(response: IncomingMessage): Promise<VbatchError> {
  try {
    const { error } = JSON.parse(await text(response)) as ErrorBody;
    return new VbatchError(isErrorCode(error.code) ? error.code : 'internal', error.message);
  } catch {
    return new VbatchError('internal', `the server answered with status ${response.statusCode}`);
  }
}
