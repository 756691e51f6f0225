/** WebSockets: their handshake and their heartbeat. What goes over them is the endpoints' matter. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { VbatchError } from '../protocol/errors.ts';
import type { Timers } from '../timers.ts';
import { failureAnswer } from './failures.ts';
import { type Guard, socketProtocol } from './guard.ts';
import type { Route, SocketRoute } from './route.ts';

/** A peer that shows no sign of life between two of these is taken for dead. */
const heartbeatMs = 30_000;
/** The largest message that any client has to send. Bytes. */
const maxPayload = 1024 * 1024;
/** How long a client has to take the last message. */
const farewellMs = 1_000;

/** One client. */
export interface Connection {
  readonly client: WebSocket;
  /** Notes a sign of life other than a pong. */
  beat(): void;
  /** Says farewell if that is possible, and ends the connection. */
  end(code: number, reason: string, farewell: string): void;
}

/** Serves a client; returns what to do when it has gone. */
export type Serve = (connection: Connection) => () => void;

export interface Endpoint {
  readonly route: SocketRoute;
  /** Checks a request before the handshake is answered. Throws what the client is told instead. */
  accept(id: string, parameters: URLSearchParams): Promise<Serve>;
}

export interface Sockets {
  /** For the server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all connections. */
  close(): void;
}

export interface SocketOptions {
  readonly endpoints: readonly Endpoint[];
  readonly guard: Guard;
  readonly timers: Timers;
  readonly log: Logger;
}

export function createSockets({ endpoints, guard, timers, log }: SocketOptions): Sockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload,
    // It costs more than loopback gains by it.
    perMessageDeflate: false,
    // One of what a browser offers must be chosen, or the browser gives up.
    handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : ([...offered][0] ?? false)),
  });

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const check = (access?: Route['access']) => {
      const wrong = guard.check(request.headers, (socket as Socket).localPort ?? 0, 'socket', access);
      if (wrong !== null) throw wrong;
    };
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const found = endpointOf(endpoints, path);
    check(found?.endpoint.route.access);
    if (found === null) {
      const known = endpoints.map(({ route }) => route.path).join(', ');
      throw new VbatchError('notFound', `${path} is no WebSocket; these are: ${known}.`);
    }
    const { endpoint, id } = found;
    const serve = await endpoint.accept(id, new URLSearchParams(search));
    sockets.handleUpgrade(request, socket, head, (client) => attach(client, serve, timers));
  }

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      accept(request, socket, head).catch((error: unknown) => {
        refuse(socket, failureAnswer(error, `GET ${(request.url ?? '').replace(/\?.*/, '')}`, log));
      });
    },
    close() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}

function endpointOf(endpoints: readonly Endpoint[], path: string): { endpoint: Endpoint; id: string } | null {
  for (const endpoint of endpoints) {
    const [before = '', after] = endpoint.route.path.split('{id}');
    if (after === undefined) {
      if (path === before) return { endpoint, id: '' };
    } else if (path.startsWith(before) && path.endsWith(after)) {
      const id = path.slice(before.length, path.length - after.length);
      if (id !== '' && !id.includes('/')) return { endpoint, id: decodeURIComponent(id) };
    }
  }
  return null;
}

function attach(client: WebSocket, serve: Serve, timers: Timers): void {
  const heart = startHeartbeat(client, timers);
  // A `close` follows, which is all that matters here.
  client.on('error', () => {});
  const detach = serve({
    client,
    beat: heart.beat,
    end(code, reason, farewell) {
      client.send(farewell, () => {});
      client.close(code, reason);
      timers.after(farewellMs, () => client.terminate());
    },
  });
  client.on('close', () => {
    heart.stop();
    detach();
  });
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

/**
 * Ends the connection once it has given no sign of life for a while: neither a pong nor a message taken. One
 * that is not read from at the moment cannot give any.
 */
function startHeartbeat(client: WebSocket, timers: Timers): { beat: () => void; stop: () => void } {
  let alive = true;
  const beat = () => {
    alive = true;
  };
  const check = () => {
    if (!alive && !client.isPaused) return client.terminate();
    alive = false;
    client.ping();
    cancel = timers.after(heartbeatMs, check);
  };
  let cancel = timers.after(heartbeatMs, check);
  client.on('pong', beat);
  return { beat, stop: () => cancel() };
}
