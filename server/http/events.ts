/** The WebSockets of the event stream: their handshake, their heartbeat, and the hub behind them. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { EngineService } from '../engine/service.ts';
import { VbatchError } from '../protocol/errors.ts';
import { eventsQuerySchema } from '../protocol/queries.ts';
import type { Timers } from '../timers.ts';
import { failureAnswer } from './failures.ts';
import { type Guard, socketProtocol } from './guard.ts';
import type { Hub, Peer, Subscription } from './hub.ts';
import { parseQuery } from './query.ts';
import { eventsRoute } from './routes/index.ts';

/** A peer that shows no sign of life between two of these is taken for dead. */
const heartbeatMs = 30_000;
/** How long a dropped client has to take the farewell. */
const farewellMs = 1_000;

export interface EventSockets {
  /** For the server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all connections. */
  close(): void;
}

export interface EventSocketOptions {
  readonly engine: EngineService;
  readonly hub: Hub;
  readonly guard: Guard;
  readonly timers: Timers;
  readonly log: Logger;
}

export function createEventSockets({ engine, hub, guard, timers, log }: EventSocketOptions): EventSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    // Clients have nothing to send, and compression costs more than loopback gains by it.
    maxPayload: 1,
    perMessageDeflate: false,
    // One of what a browser offers must be chosen, or the browser gives up.
    handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : ([...offered][0] ?? false)),
  });

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const wrong = guard.check(request.headers, (socket as Socket).localPort ?? 0, 'socket');
    if (wrong !== null) throw wrong;
    const subscription = await readSubscription(engine, request.url ?? '');
    sockets.handleUpgrade(request, socket, head, (client) => serve(client, subscription));
  }

  function serve(client: WebSocket, subscription: Subscription): void {
    const heart = startHeartbeat(client, timers);
    const detach = hub.attach(peer(client, heart.beat, timers), subscription);
    client.on('close', () => {
      heart.stop();
      detach();
    });
    // A `close` follows, which is all that matters here.
    client.on('error', () => {});
  }

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      accept(request, socket, head).catch((error: unknown) => {
        refuse(socket, failureAnswer(error, 'GET /v1/events', log));
      });
    },
    close() {
      hub.close();
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}

async function readSubscription(engine: EngineService, url: string): Promise<Subscription> {
  const [path, search = ''] = url.split('?', 2);
  if (path !== eventsRoute.path) {
    throw new VbatchError('notFound', `Only ${eventsRoute.path} is a WebSocket, ${path} is not.`);
  }
  const { after, below } = parseQuery(eventsQuerySchema, new URLSearchParams(search));
  return {
    after: after === undefined || after === 0 ? null : after,
    below: below === undefined ? null : (await engine.find(below)).id,
  };
}

/** Answers a request for a WebSocket with an error, as an ordinary request would be answered. */
function refuse(socket: Duplex, { status, body }: ReturnType<typeof failureAnswer>): void {
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

/** Ends the connection once it has given no sign of life for a while: neither a pong nor a message taken. */
function startHeartbeat(client: WebSocket, timers: Timers): { beat: () => void; stop: () => void } {
  let alive = true;
  const beat = () => {
    alive = true;
  };
  const check = () => {
    if (!alive) return client.terminate();
    alive = false;
    client.ping();
    cancel = timers.after(heartbeatMs, check);
  };
  let cancel = timers.after(heartbeatMs, check);
  client.on('pong', beat);
  return { beat, stop: () => cancel() };
}

/** The hub's view of a WebSocket. `beat` is called when a message has been taken. */
function peer(client: WebSocket, beat: () => void, timers: Timers): Peer {
  return {
    send(message, sent) {
      client.send(message, (error) => {
        if (error) return;
        beat();
        // A large picture must not keep everybody else waiting while the network takes all at once.
        setImmediate(sent);
      });
    },
    drop(farewell) {
      client.send(farewell, () => {});
      client.close(1013, 'reads too slowly');
      timers.after(farewellMs, () => client.terminate());
    },
  };
}
