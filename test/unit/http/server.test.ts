import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { maxBodyBytes } from '../../../server/protocol/tasks.ts';
import { type Fixture, failure, startServer, token } from './fixture.ts';

let server: Fixture;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const task = { command: ['true'], directory: '/tmp' };

it.each([
  [401, 'unauthorized', { authorization: undefined }],
  [401, 'unauthorized', { authorization: 'Bearer wrong' }],
  [403, 'forbidden', { host: 'evil.example' }],
  [403, 'forbidden', { origin: 'https://evil.example' }],
])('answers %d %s to a request with %j', async (status, code, headers) => {
  for (const [method, path] of [
    ['GET', '/v1/server'],
    ['POST', '/v1/tasks'],
    ['GET', '/nowhere'],
  ] as const) {
    expect(await server.ask(method, path, { headers })).toMatchObject({ status, json: failure(code) });
  }
  expect(server.engine.calls).toEqual([]);
});

it('does not take the token from the URL', async () => {
  const answer = await server.ask('GET', `/v1/server?token=${token}`, {
    headers: { authorization: undefined },
  });
  expect(answer.status).toBe(401);
});

it('gives away neither what it is made of nor an ETag', async () => {
  const { headers } = await server.ask('GET', '/v1/server');
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  expect(headers).not.toHaveProperty('etag');
  expect(headers).not.toHaveProperty('x-powered-by');
});

it.each([
  ['GET', '/pages'],
  ['GET', '/v1'],
  ['GET', '/v2/tasks'],
  ['DELETE', '/v1/tasks'],
  ['GET', '/v1/tasks/a/b'],
  ['POST', '/v1/tasks/a'],
  ['OPTIONS', '/v1/prune'],
])('answers 404 to %s %s', async (method, path) => {
  expect(await server.ask(method, path)).toMatchObject({
    status: 404,
    json: failure('notFound', `${method} ${path}`),
  });
});

it('answers 400 to a path that is not URL-encoded', async () => {
  expect(await server.ask('GET', '/v1/tasks/%zz')).toMatchObject({
    status: 400,
    json: failure('invalid', 'URL-encoded'),
  });
});

it.each([
  ['', 'has no body'],
  ['{"tasks": [}', 'line 1, column 12'],
  ['{\n "tasks": [],\n}', 'line 3, column 1'],
  [Buffer.from([0x22, 0xff, 0x22]), 'UTF-8'],
  ['null', 'the value is null'],
  [{ tasks: [{ ...task, prioritty: 1 }] }, 'did you mean "priority"'],
  [{ tasks: [{ ...task, command: ['x'.repeat(10_000_000)] }] }, 'longer than 131071 bytes'],
])('answers 400 to the body %.40j', async (body, message) => {
  expect(await server.ask('POST', '/v1/tasks', { body })).toMatchObject({
    status: 400,
    json: failure('invalid', message),
  });
});

it('answers 400 to a query that is wrong', async () => {
  expect(await server.ask('GET', '/v1/tasks?limt=1')).toMatchObject({
    status: 400,
    json: failure('invalid', 'did you mean "limit"'),
  });
});

it('answers 413 to a body of 50 MB, announced or not, and stays well', async () => {
  const body = Buffer.alloc(50_000_000, 0x20);
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    const answer = await server.ask('POST', '/v1/tasks', { body, headers });
    expect(answer).toMatchObject({ status: 413, json: failure('tooLarge', String(maxBodyBytes)) });
  }
  expect(await server.ask('GET', '/v1/server')).toMatchObject({ status: 200 });
});

it('takes a body of just the largest size', async () => {
  const text = JSON.stringify({ tasks: [task] });
  const body = text + ' '.repeat(maxBodyBytes - text.length);
  expect(await server.ask('POST', '/v1/tasks', { body })).toMatchObject({ status: 200 });
  expect(await server.ask('POST', '/v1/tasks', { body: `${body} ` })).toMatchObject({ status: 413 });
});

it('gets over a client that breaks off within its body', async () => {
  const socket = connect(server.port, '127.0.0.1');
  const head = [
    'POST /v1/tasks HTTP/1.1',
    `Host: 127.0.0.1:${server.port}`,
    `Authorization: Bearer ${token}`,
  ];
  socket.end(`${head.join('\r\n')}\r\nContent-Length: 100\r\n\r\n{"tasks"`);
  await text(socket);
  expect(await server.ask('GET', '/v1/server')).toMatchObject({ status: 200 });
});

it('answers a bug with a reference to the log, which holds the stack', async () => {
  const secret = randomUUID();
  const broken = await startServer({ loginEnvironment: () => Promise.reject(new Error(secret)) });
  try {
    const answer = await broken.ask('POST', '/v1/tasks', { body: { tasks: [{ ...task, environment: {} }] } });
    expect(answer).toMatchObject({ status: 500, json: failure('internal') });
    expect(answer.bytes.toString()).not.toMatch(new RegExp(`${secret}|\\.ts:`));
    const reference = /look for ([0-9a-f]{8}) in its log/.exec(answer.bytes.toString())?.[1];
    expect(broken.logged).toHaveLength(1);
    expect(JSON.parse(broken.logged[0] ?? '')).toMatchObject({
      reference,
      err: { stack: expect.stringContaining(secret) },
    });
  } finally {
    await broken.close();
  }
});

it('ends a wait when the client goes', async () => {
  server.engine.put('run-1');
  const socket = connect(server.port, '127.0.0.1');
  const head = [
    'GET /v1/tasks/run-1/wait HTTP/1.1',
    `Host: 127.0.0.1:${server.port}`,
    `Authorization: Bearer ${token}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await expect.poll(() => server.engine.waiting).toBe(1);
  socket.destroy();
  await expect.poll(() => server.engine.waiting).toBe(0);
  expect(server.logged).toEqual([]);
});

it('closes at once, and tells those that wait', async () => {
  const closing = await startServer();
  closing.engine.put('run-1');
  const answer = closing.ask('GET', '/v1/tasks/run-1/wait');
  await expect.poll(() => closing.engine.waiting).toBe(1);
  const start = performance.now();
  await closing.close();
  expect(performance.now() - start).toBeLessThan(900);
  expect(await answer).toMatchObject({ status: 503, json: failure('noServer', 'run-1') });
});
