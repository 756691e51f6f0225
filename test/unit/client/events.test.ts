import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StreamEvent } from '../../../server/client/eventStreamState.ts';
import { EventStream } from '../../../server/client/events.ts';
import type { Address } from '../../../server/client/transport.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import { lastingTimers } from '../../../server/timers.ts';
import { type Fixture, startServer, token } from '../http/fixture.ts';

let server: Fixture;
const streams: EventStream[] = [];

beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.stop();
  await server.close();
});

const here = async (): Promise<Address> => ({ port: server.port, token });

/** Follows the stream; pauses last a hundredth of their time. */
function follow(below: string | null = null, locate = here) {
  const events: StreamEvent[] = [];
  const known = new Map<string, number>();
  let isWhole = false;
  const listener = (event: StreamEvent) => {
    events.push(event);
    if (event.type === 'reset') known.clear();
    if (event.type === 'disconnected') isWhole = false;
    if (event.type !== 'tasks') return;
    for (const id of event.removed) known.delete(id);
    for (const { id, revision } of event.tasks) known.set(id, revision);
    isWhole = event.whole;
  };
  const timers = {
    now: lastingTimers.now,
    after: (milliseconds: number, action: () => void) => lastingTimers.after(milliseconds / 100, action),
  };
  const stream = new EventStream({ locate, below, listener, timers });
  streams.push(stream);
  stream.start();
  return { stream, events, known, isWhole: () => isWhole, types: () => events.map(({ type }) => type) };
}

function truth(): Map<string, number> {
  return new Map(server.engine.views(server.engine.numbers(null)).map(({ id, revision }) => [id, revision]));
}

it('brings the picture, then what changes', async () => {
  server.engine.putAll(['a', 'a/b']);
  const { known, events, isWhole, stream, types } = follow();
  await expect.poll(types).toEqual(['reset', 'tasks', 'hosts']);
  expect(isWhole()).toBe(true);
  expect(events[2]).toMatchObject({ hosts: [{ name: 'local' }] });
  server.engine.put('a', { status: 'SUCCESS' });
  server.engine.remove('a/b');
  await expect.poll(() => known).toEqual(truth());
  stream.stop();
  server.engine.put('c');
  await expect.poll(() => server.engine.subscribers).toBe(0);
  expect(known.has('c')).toBe(false);
});

it('is limited to what lies below a task, whatever characters its name holds', async () => {
  server.engine.putAll(['a&b=c%', 'a&b=c%/d', 'other']);
  const { known } = follow('a&b=c%');
  await expect.poll(() => [...known.keys()]).toEqual(['a&b=c%', 'a&b=c%/d']);
});

it('resumes at a server that was started anew, without a reset', async () => {
  const { engine } = server;
  engine.putAll(['a', 'b']);
  const { known, isWhole, types } = follow();
  await expect.poll(isWhole).toBe(true);
  await server.close();
  await expect.poll(types).toContain('disconnected');
  engine.put('a', { status: 'RUNNING' });
  engine.remove('b');
  engine.put('c');
  server = await startServer({ engine });
  await expect.poll(isWhole).toBe(true);
  expect(known).toEqual(truth());
  expect(types().filter((type) => type === 'reset')).toHaveLength(1);
});

it('starts anew at a server that remembers too little', async () => {
  const { engine } = server;
  engine.putAll(['a', 'b']);
  const { known, isWhole, types } = follow();
  await expect.poll(isWhole).toBe(true);
  await server.close();
  engine.remove('b');
  engine.forgottenBefore = engine.sequence;
  server = await startServer({ engine });
  await expect.poll(() => types().filter((type) => type === 'reset')).toHaveLength(2);
  await expect.poll(() => known).toEqual(truth());
});

it('keeps trying while there is no server, or only one with another token', async () => {
  let tries = 0;
  const locate = async () => {
    tries += 1;
    if (tries === 1) throw new VbatchError('noServer', 'No vbatch server runs.');
    if (tries === 2) return { port: 1, token };
    return { port: server.port, token: tries === 3 ? 'old' : token };
  };
  const { events, isWhole } = follow(null, locate);
  await expect.poll(isWhole).toBe(true);
  expect(events.slice(0, 3)).toMatchObject([
    { type: 'disconnected', reason: 'No vbatch server runs.' },
    { type: 'disconnected', reason: expect.stringContaining('ECONNREFUSED') },
    { type: 'disconnected', reason: expect.stringContaining("The token is not this server's") },
  ]);
});

it.each([
  ['notFound', 'nobody', here],
  ['refused', null, () => Promise.reject(new VbatchError('refused', 'The server has another version.'))],
] as const)('gives up where the answer stays %s', async (code, below, locate) => {
  const { events } = follow(below, locate);
  await expect.poll(() => events).toMatchObject([{ type: 'failed', error: { code } }]);
});

it('survives what is no vbatch server', async () => {
  const stranger = createServer((_request, response) => response.end('<html>'));
  stranger.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 418 No\r\nConnection: close\r\n\r\nteapot'),
  );
  const port = await new Promise<number>((resolve) => {
    stranger.listen(0, '127.0.0.1', () => resolve((stranger.address() as { port: number }).port));
  });
  let tries = 0;
  const locate = async () => {
    tries += 1;
    return { port: tries === 1 ? port : server.port, token };
  };
  const { events, isWhole } = follow(null, locate);
  await expect.poll(isWhole).toBe(true);
  expect(events[0]).toEqual({ type: 'disconnected', reason: 'the server answered with status 418' });
  stranger.close();
});
