import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Viewer } from '../../../server/hosts/host.ts';
import { createGuard } from '../../../server/http/guard.ts';
import { createSockets } from '../../../server/http/sockets.ts';
import { terminalEndpoints } from '../../../server/http/terminals.ts';
import type { TerminalMessage } from '../../../server/protocol/terminals.ts';
import { FakeEngine } from '../../support/fakeEngine.ts';
import { ManualTimers } from '../../support/manualTimers.ts';
import { failure, token } from './fixture.ts';

/** A terminal that notes what happens to it. */
class FakeTerminal {
  viewer: Viewer | null = null;
  readonly happened: string[] = [];
  readonly pieces: Buffer[] = [];
  /** Resolves before what is typed counts as taken. */
  beforeTaken: Promise<void> = Promise.resolve();

  get typed(): Buffer {
    return Buffer.concat(this.pieces);
  }

  readonly seat = {
    input: async (bytes: Buffer) => {
      this.pieces.push(bytes);
      await this.beforeTaken;
    },
    resize: ({ rows, columns }: { rows: number; columns: number }) =>
      void this.happened.push(`size ${columns}x${rows}`),
    leave: () => void this.happened.push('left'),
  };
}

function stageOf() {
  const engine = new FakeEngine();
  const timers = new ManualTimers();
  const log = pino({ level: 'silent' });
  const guard = createGuard(token, [], { holds: () => false });
  const endpoints = terminalEndpoints({ engine, timers, log });
  const sockets = createSockets({ endpoints, guard, timers, log });
  const connections: Socket[] = [];
  const server = createServer();
  server.on('upgrade', sockets.upgrade);
  server.on('connection', (socket) => connections.push(socket));
  const terminal = new FakeTerminal();
  engine.put('a/b', { terminal: true });
  engine.terminal = async (viewer) => {
    terminal.viewer = viewer;
    return { attempt: 2, seat: terminal.seat };
  };
  return { engine, timers, sockets, server, connections, terminal };
}

let stage: ReturnType<typeof stageOf>;
let port: number;
const clients: WebSocket[] = [];

beforeEach(async () => {
  stage = stageOf();
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

const authorization = `Bearer ${token}`;
const ownPath = '/v1/tasks/a%2Fb/terminal?rows=24&columns=80';

function open(path = ownPath) {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { authorization } });
  clients.push(client);
  const messages: (TerminalMessage | string)[] = [];
  client.on('message', (data: Buffer, isBinary) => {
    messages.push(isBinary ? data.toString('latin1') : (JSON.parse(data.toString()) as TerminalMessage));
  });
  return { client, messages, closed: once(client, 'close') };
}

it.each([
  [404, 'notFound', '/v1/tasks/nobody/terminal?rows=1&columns=1', {}],
  [404, 'notFound', '/v1/tasks/a/b/terminal?rows=1&columns=1', {}],
  [404, 'notFound', '/v1/tasks//terminal?rows=1&columns=1', {}],
  [400, 'invalid', '/v1/tasks/a%2Fb/terminal', {}],
  [400, 'invalid', '/v1/tasks/%zz/terminal?rows=1&columns=1', {}],
  [400, 'invalid', '/v1/tasks/a%2Fb/terminal?rows=0&columns=1', {}],
  [400, 'invalid', '/v1/tasks/a%2Fb/shell?rows=1&columns=1&term=a%20b', {}],
  [400, 'invalid', '/v1/tasks/a%2Fb/shell?rows=1&columns=1&term=x&command=ls', {}],
  [400, 'invalid', '/v1/tasks/a%2Fb/shell?rows=1&columns=1&term=x&command=%5B%5D', {}],
  [401, 'unauthorized', ownPath, { authorization: 'Bearer wrong' }],
  [403, 'forbidden', ownPath, { origin: 'https://evil.example' }],
  [403, 'forbidden', ownPath, { host: 'evil.example' }],
])('answers %d %s to a handshake for %s with %j', async (status, code, path, headers) => {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { authorization, ...headers } });
  client.on('error', () => {});
  const [, response] = await once(client, 'unexpected-response');
  expect(response.statusCode).toBe(status);
  expect(await json(response)).toEqual(failure(code));
});

it('says that it is open before anything is shown, and passes bytes both ways', async () => {
  const { terminal, engine } = stage;
  engine.terminal = async (viewer) => {
    terminal.viewer = viewer;
    void viewer.show(Buffer.from('before '));
    return { attempt: 2, seat: terminal.seat };
  };
  const { client, messages } = open();
  await expect.poll(() => messages).toEqual([{ type: 'open', attempt: 2 }, 'before ']);
  expect(terminal.happened).toEqual(['size 80x24']);
  await terminal.viewer?.show(Buffer.from([0, 255, 10]));
  await expect.poll(() => messages[2]).toBe('\0\xff\n');
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  client.send(every);
  client.send(JSON.stringify({ type: 'resize', rows: 50, columns: 132 }));
  await expect.poll(() => terminal.happened).toEqual(['size 80x24', 'size 132x50']);
  expect(terminal.typed.equals(every)).toBe(true);
});

it('takes no more than is taken of it, and forgets no sign of life meanwhile', async () => {
  const { terminal, timers } = stage;
  let take = () => {};
  terminal.beforeTaken = new Promise<void>((resolve) => {
    take = resolve;
  });
  const { client, messages } = open();
  await expect.poll(() => messages).toHaveLength(1);
  const piece = Buffer.alloc(64 * 1024, 'x');
  for (let i = 0; i < 200; i++) client.send(piece);
  await expect.poll(() => terminal.pieces.length).toBeGreaterThan(0);
  timers.advance(30_000);
  timers.advance(30_000);
  timers.advance(30_000);
  expect(terminal.pieces.length).toBeLessThan(30);
  take();
  await expect.poll(() => terminal.pieces.length).toBe(200);
  expect(terminal.typed).toHaveLength(200 * piece.length);
});

it.each([[{ exitCode: 3, lost: null }], [{ exitCode: null, lost: 'the connection is lost' }]])(
  'tells the end %j, and then closes',
  async (end) => {
    const { messages, closed } = open();
    await expect.poll(() => messages).toHaveLength(1);
    void stage.terminal.viewer?.show(Buffer.from('bye'));
    stage.terminal.viewer?.over(end);
    await closed;
    expect(messages.slice(1)).toEqual(['bye', { type: 'ended', ...end }]);
    await expect.poll(() => stage.terminal.happened).toContain('left');
  },
);

it('tells why there is no terminal', async () => {
  stage.engine.terminal = async () => 'gone';
  const gone = open();
  await gone.closed;
  expect(gone.messages).toEqual([{ type: 'ended', exitCode: null, lost: expect.stringContaining('lost') }]);
  stage.engine.terminal = async () => 'ended';
  const ended = open();
  await ended.closed;
  expect(ended.messages).toEqual([{ type: 'ended', exitCode: null, lost: null }]);
  const shell = open('/v1/tasks/a%2Fb/shell?rows=2&columns=3&term=xterm');
  await shell.closed;
  expect(shell.messages).toEqual([{ type: 'failed', error: { code: 'refused', message: 'a/b is ended.' } }]);
});

it('runs a command beside a task, whatever bytes it holds', async () => {
  const command = ['ls', '', 'a\udc80 "\n'];
  const query = new URLSearchParams({
    rows: '2',
    columns: '3',
    term: 'vt100',
    command: JSON.stringify(command),
  });
  const { messages, client } = open(`/v1/tasks/a%2Fb/shell?${query.toString()}`);
  await expect.poll(() => messages).toEqual([{ type: 'open', attempt: null }]);
  const terminal = { rows: 2, columns: 3, term: 'vt100' };
  expect(stage.engine.calls).toEqual([['beside', 'a/b', { command, terminal }]]);
  client.close();
  await expect.poll(() => stage.terminal.happened).toContain('left');
});

it('stops waiting for a client that goes, and for a size keeps the last one', async () => {
  const { engine, terminal } = stage;
  let begin = () => {};
  const signals: AbortSignal[] = [];
  engine.terminal = async (viewer, signal) => {
    signals.push(signal);
    terminal.viewer = viewer;
    await new Promise<void>((resolve) => {
      begin = resolve;
    });
    return { attempt: 1, seat: terminal.seat };
  };
  const waits = open();
  await once(waits.client, 'open');
  waits.client.send(JSON.stringify({ type: 'resize', rows: 10, columns: 20 }));
  waits.client.send('too early', { binary: true });
  // The pong has arrived when what was sent before has.
  waits.client.ping();
  await once(waits.client, 'pong');
  begin();
  await expect.poll(() => waits.messages).toEqual([{ type: 'open', attempt: 1 }]);
  expect(terminal.happened).toEqual(['size 20x10']);
  expect(terminal.typed).toHaveLength(0);
  const leaves = open();
  await once(leaves.client, 'open');
  await expect.poll(() => signals).toHaveLength(2);
  leaves.client.terminate();
  await expect.poll(() => signals[1]?.aborted).toBe(true);
  begin();
  await expect.poll(() => terminal.happened).toContain('left');
});

it.each(['resize', '{"type":"resize"}', '{"type":"resize","rows":1,"columns":0}'])(
  'closes the connection of a client that says %s',
  async (text) => {
    const { client, messages, closed } = open();
    await expect.poll(() => messages).toHaveLength(1);
    client.send(text);
    expect((await closed)[0]).toBe(1008);
  },
);

it('waits for a client that reads slowly, and drops it in the end', async () => {
  const { terminal, timers, connections } = stage;
  const { client, messages } = open();
  await expect.poll(() => messages).toHaveLength(1);
  client.pause();
  const piece = Buffer.alloc(256 * 1024, 'x');
  const reading = { stalled: false };
  let shown = 0;
  const showing = (async () => {
    for (; shown < 1_000 && !reading.stalled; shown++) await terminal.viewer?.show(piece);
  })();
  // The network's own buffers take the first of it.
  let before = -1;
  await expect
    .poll(() => {
      const same = shown === before && shown > 0;
      before = shown;
      return same;
    })
    .toBe(true);
  expect(connections[0]?.destroyed).toBe(false);
  timers.advance(29_000);
  expect(connections[0]?.destroyed).toBe(false);
  timers.advance(1_500);
  reading.stalled = true;
  await expect.poll(() => connections[0]?.destroyed).toBe(true);
  await showing;
  expect(shown).toBeLessThan(500);
});
