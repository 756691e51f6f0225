/** The event stream as a client sees it: connects, reconnects and resumes by itself until it is stopped. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { type ErrorBody, errorEntry, isErrorCode, VbatchError } from '../protocol/errors.ts';
import type { StreamMessage } from '../protocol/tasks.ts';
import { lastingTimers, type Timers } from '../timers.ts';
import {
  nextStep,
  type StreamEffect,
  type StreamEvent,
  type StreamInput,
  type StreamState,
} from './eventStreamState.ts';
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
  private state: StreamState = { phase: 'idle' };
  private socket: WebSocket | null = null;
  private endPause: () => void = () => {};
  private readonly timers: Timers;

  constructor(private readonly options: EventStreamOptions) {
    this.timers = options.timers ?? lastingTimers;
  }

  /** Connects. The listener hears of everything from now on. */
  start(): void {
    this.take({ type: 'start' });
  }

  /** Ends for good. The listener hears nothing more. */
  stop(): void {
    this.take({ type: 'stop' });
  }

  private take(input: StreamInput): void {
    const { state, effects } = nextStep(this.state, input);
    this.state = state;
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: StreamEffect): void {
    switch (effect.type) {
      case 'connect':
        void this.connect(effect.after);
        return;
      case 'disconnect':
        this.socket?.terminate();
        this.socket = null;
        return;
      case 'pause':
        this.endPause = this.timers.after(effect.milliseconds, () => this.take({ type: 'resumed' }));
        return;
      case 'endPause':
        this.endPause();
        return;
      case 'tell':
        this.options.listener(effect.event);
        return;
    }
  }

  private async connect(after: number): Promise<void> {
    let address: Address;
    try {
      address = await this.options.locate();
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    if (this.state.phase !== 'connecting') return;
    const { below } = this.options;
    const query = `after=${after}${below === null ? '' : `&below=${encodeURIComponent(below.toWellFormed())}`}`;
    const socket = new WebSocket(`ws://127.0.0.1:${address.port}/v1/events?${query}`, {
      headers: { authorization: `Bearer ${address.token}` },
      handshakeTimeout: handshakeMs,
      perMessageDeflate: false,
    });
    this.socket = socket;
    let reason = 'the server ended the connection';
    socket.on('open', () => this.take({ type: 'opened' }));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as StreamMessage;
      if (message.type === 'dropped') reason = 'the server dropped this client, which reads too slowly';
      this.take({ type: 'message', message });
    });
    socket.on('unexpected-response', (request, response) => {
      void this.refused(response).finally(() => request.destroy());
    });
    // A `close` follows.
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      if (this.socket === socket) this.lose(reason);
    });
  }

  private lose(reason: string): void {
    this.socket = null;
    this.take({ type: 'lost', reason, chance: Math.random() });
  }

  /** A handshake that was answered with an error. */
  private async refused(response: IncomingMessage): Promise<void> {
    this.socket = null;
    this.fail(await errorOf(response));
  }

  private fail(error: Error): void {
    if (isLasting(error)) this.take({ type: 'refused', error });
    else this.lose(error.message);
  }
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
