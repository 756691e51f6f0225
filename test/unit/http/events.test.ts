import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { eventsEndpoint } from '../../../server/http/events.ts';
import { createGuard } from '../../../server/http/guard.ts';
import { Hub } from '../../../server/http/hub.ts';
import { createSockets } from '../../../server/http/sockets.ts';
import type { StreamMessage } from '../../../server/protocol/tasks.ts';
import { FakeEngine } from '../../support/fakeEngine.ts';
import { ManualTimers } from '../../support/manualTimers.ts';
import { failure, token } from './fixture.ts';

function startSockets() {
  const engine = new FakeEngine();
  const timers = new ManualTimers();
  const log = pino({ level: 'silent' });
  const guard = createGuard(token, [], { holds: () => false });
  const endpoints = [eventsEndpoint(engine, new Hub(engine, timers, log))];
  const sockets = createSockets({ endpoints, guard, timers, log });
  const connections: Socket[] = [];
  const server = createServer();
  server.on('upgrade', sockets.upgrade);
  server.on('connection', (socket) => connections.push(socket));
  return { engine, timers, sockets, server, connections };
}

let stage: ReturnType<typeof startSockets>;
let port: number;
const clients: WebSocket[] = [];

beforeEach(async () => {
  stage = startSockets();
  stage.server.listen(0, '127.0.0.1');
  await once(stage.server, 'listening');
  ({ port } = stage.server.address() as AddressInfo);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  stage.sockets.close();
  stage.server.close();
  stage.server.closeAllConnections();
  await once(stage.server, 'close');
});

const withToken = { authorization: `Bearer ${token}` };

function open(query = '', protocols: string[] = [], options: ClientOptions = { headers: withToken }) {
  const client = new WebSocket(`ws://127.0.0.1:${port}/v1/events${query}`, protocols, options);
  clients.push(client);
  const messages: StreamMessage[] = [];
  client.on('message', (data) => messages.push(JSON.parse((data as Buffer).toString())));
  return { client, messages };
}

/** The answer to a handshake that is refused. */
async function refusal(path: string, headers: Record<string, string>) {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  client.on('error', () => {});
  const [, response] = await once(client, 'unexpected-response');
  return { status: response.statusCode, json: await json(response) };
}

it.each([
  [401, 'unauthorized', '/v1/events', { authorization: 'Bearer wrong' }],
  [401, 'unauthorized', `/v1/events?token=${token}`, { authorization: '' }],
  [403, 'forbidden', '/v1/events', { host: 'evil.example' }],
  [403, 'forbidden', '/v1/events', { origin: 'https://evil.example' }],
  [404, 'notFound', '/v1/tasks', {}],
  [404, 'notFound', '/v1/events?below=nobody', {}],
  [400, 'invalid', '/v1/events?after=x', {}],
  [400, 'invalid', '/v1/events?aftr=1', {}],
])('answers %d %s to a handshake for %s with %j', async (status, code, path, headers) => {
  expect(await refusal(path, { ...withToken, ...headers })).toMatchObject({ status, json: failure(code) });
});

it.each([
  [['vbatch', `vbatch.token.${token}`], 'vbatch'],
  [[`vbatch.token.${token}`], `vbatch.token.${token}`],
])('lets a browser in by the subprotocols %j', async (protocols, chosen) => {
  const origin = `http://127.0.0.1:${port}`;
  const { client } = open('', protocols, { origin });
  await once(client, 'open');
  expect(client.protocol).toBe(chosen);
});

it('streams the picture, then changes, and resumes where a connection broke', async () => {
  const { engine, timers } = stage;
  engine.putAll(['a', 'a/b', 'c']);
  const first = open('?after=0');
  await expect
    .poll(() => first.messages)
    .toMatchObject([
      { type: 'hello', reset: true },
      { type: 'tasks', tasks: [{ id: 'a' }, { id: 'a/b' }, { id: 'c' }], sequence: 3 },
      { type: 'hosts' },
    ]);
  engine.put('c', { status: 'SUCCESS' });
  timers.advance(50);
  await expect
    .poll(() => first.messages[3])
    .toMatchObject({ tasks: [{ id: 'c', status: 'SUCCESS' }], sequence: 4 });
  first.client.terminate();
  engine.put('a', { status: 'RUNNING' });
  engine.remove('c');
  const second = open('?after=4&below=a');
  await expect
    .poll(() => second.messages)
    .toMatchObject([
      { type: 'hello', reset: false, sequence: 6 },
      { type: 'tasks', tasks: [{ id: 'a' }], removed: [], sequence: 6 },
      { type: 'hosts' },
    ]);
});

/** A client that shakes hands and then neither reads nor answers. */
async function openStalled(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  const lines = [
    'GET /v1/events HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await once(socket, 'readable');
  socket.on('error', () => {});
  return socket;
}

it('drops a client that stops reading, with bounded memory, while others go on', async () => {
  const { engine, timers, connections } = stage;
  const stalled = await openStalled();
  const [connection] = connections;
  const { messages } = open();
  await expect.poll(() => messages.length).toBe(3);
  const ids = Array.from({ length: 1_000 }, (_, i) => `run-${i}`);
  let rounds = 0;
  // Each round is some 600 KB; the network's own buffers take the first of them.
  const publish = async () => {
    rounds += 1;
    engine.putAll(ids, { cwd: `/${'x'.repeat(200)}`, priority: rounds });
    timers.advance(50);
    await expect.poll(() => messages.at(-1)).toMatchObject({ sequence: engine.sequence });
    return connection?.writableLength ?? 0;
  };
  let buffered = 0;
  while (buffered === 0) buffered = await publish();
  let most = buffered;
  for (let i = 0; i < 20; i++) most = Math.max(most, await publish());
  expect(most).toBeLessThan(1024 * 1024);
  expect(connection?.destroyed).toBe(false);
  timers.advance(31_000);
  await expect.poll(() => connection?.destroyed).toBe(true);
  await publish();
  const told = messages.flatMap((message) => (message.type === 'tasks' ? message.tasks : []));
  expect(told).toHaveLength(rounds * ids.length);
  stalled.destroy();
});

it('ends the connection of a peer that is dead, and of none that lives', async () => {
  const { timers, connections } = stage;
  const stalled = await openStalled();
  const [dead] = connections;
  const { client, messages } = open();
  const pinged = once(client, 'ping');
  await expect.poll(() => messages.length).toBe(3);
  // Both have been told everything: only the two heartbeats are left.
  await expect.poll(() => timers.pending).toBe(2);
  timers.advance(30_000);
  await pinged;
  // The pong has arrived when the answer to a later message of the same connection has.
  client.ping();
  await once(client, 'pong');
  expect(dead?.destroyed).toBe(false);
  timers.advance(30_000);
  await expect.poll(() => dead?.destroyed).toBe(true);
  client.ping();
  await once(client, 'pong');
  stalled.destroy();
});

it('takes no messages', async () => {
  const { client } = open();
  await once(client, 'open');
  client.send('hello?');
  const [code] = await once(client, 'close');
  expect(code).toBe(1008);
});
