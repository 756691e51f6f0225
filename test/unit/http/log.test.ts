import { EventEmitter, once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VbatchError } from '../../../server/protocol/errors.ts';
import type { LogChunk } from '../../../server/protocol/logs.ts';
import { freshTask } from '../../support/fakeEngine.ts';
import { type Fixture, failure, startServer, token } from './fixture.ts';

let server: Fixture;
beforeEach(async () => {
  server = await startServer();
  server.engine.put('run-1');
});
afterEach(() => server.close());

function out(text: string): LogChunk {
  return { stream: 'stdout', data: Buffer.from(text) };
}

it('sends one stream as its bytes', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  server.engine.openLog = () => Readable.from([{ stream: 'stderr', data: bytes }, out('')]);
  const answer = await server.ask('GET', '/v1/tasks/run-1/log?stream=stderr&attempt=2&offset=7&follow=true');
  expect(answer.headers['content-type']).toBe('application/octet-stream');
  expect(answer.bytes).toEqual(bytes);
  expect(server.engine.calls).toEqual([['log', { stream: 'stderr', attempt: 2, offset: 7, follow: true }]]);
});

it('sends both streams as frames', async () => {
  const answer = await server.ask('GET', '/v1/tasks/run-1/log');
  expect(answer.headers['content-type']).toBe('application/vnd.vbatch.frames');
  expect(answer.bytes.toString('latin1')).toBe('\x01\0\0\0\x03out\x02\0\0\0\x03err');
  expect(server.engine.calls).toEqual([['log', { stream: 'both', offset: 0, follow: false }]]);
});

it.each([
  ['running', '', undefined],
  ['ended', '', '3'],
  ['lost', '', '3'],
  ['ended', '&attempt=1', '3'],
  ['ended', '&attempt=9', undefined],
  ['ended', '&follow=true', undefined],
] as const)('tells the size of a stream whose attempt is %s%s', async (state, query, size) => {
  const attempt = { number: 1, host: 'local', state, gpus: [], exitCode: null, signal: null, reason: null };
  const { createdAt: placedAt } = freshTask('x');
  server.engine.put('run-1', { attempts: [{ ...attempt, placedAt, startedAt: null, endedAt: null }] });
  const answer = await server.ask('GET', `/v1/tasks/run-1/log?stream=stdout${query}`);
  expect(answer.headers['x-log-size']).toBe(size);
});

it('refuses an offset into both streams', async () => {
  const answer = await server.ask('GET', '/v1/tasks/run-1/log?offset=1');
  expect(answer).toMatchObject({ status: 400, json: failure('invalid', 'offset', 'needs stream=stdout') });
});

it('leaves out what a reader has of both streams, and ends after so many bytes', async () => {
  await server.ask('GET', '/v1/tasks/run-1/log?stdout=3&stderr=0&length=9');
  const before = { stdout: 3, stderr: 0 };
  expect(server.engine.calls).toEqual([
    ['log', { stream: 'both', offset: 0, before, length: 9, follow: false }],
  ]);
  const answer = await server.ask('GET', '/v1/tasks/run-1/log?stream=stderr&stdout=1');
  expect(answer).toMatchObject({ status: 400, json: failure('invalid', 'stdout', 'needs stream=both') });
});

it('tells where a position in both streams is', async () => {
  const answer = await server.ask('GET', '/v1/tasks/run-1/log/place?attempt=2&position=-5');
  expect(answer.json).toMatchObject({ attempt: 2, position: -5, size: { stdout: 3, stderr: 4 } });
});

it('sends what a search finds, line by line', async () => {
  const answer = await server.ask('GET', '/v1/tasks/run-1/log/search?text=RR&attempt=3&limit=5');
  expect(answer.headers['content-type']).toBe('application/x-ndjson');
  const hit = { type: 'hit', stream: 'stderr', position: 3, line: 1, text: 'err', at: 1, length: 2 };
  expect(
    answer.bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([hit, { type: 'end', searched: 6, size: 7, complete: true }]);
  expect(server.engine.calls).toEqual([['searchLog', 3, { text: 'RR', matchCase: false, limit: 5 }]]);
  const wrong = await server.ask('GET', '/v1/tasks/run-1/log/search?text=a%0Ab');
  expect(wrong).toMatchObject({ status: 400, json: failure('invalid', 'within one line') });
});

it('ends a search with a line that says why it cannot go on', async () => {
  const source = new PassThrough({ objectMode: true });
  server.engine.openLog = () => source;
  const answer = server.ask('GET', '/v1/tasks/run-1/log/search?text=o');
  source.write(out('one\n'));
  await expect.poll(() => server.engine.calls.length).toBe(1);
  source.destroy(new VbatchError('unreachable', 'The host big is unreachable.'));
  const lines = (await answer).bytes.toString().trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
    type: 'failed',
    ...failure('unreachable', 'The host big'),
  });
});

it('sends the headers and each chunk of a followed log at once', async () => {
  const source = new PassThrough({ objectMode: true });
  server.engine.openLog = () => source;
  const path = '/v1/tasks/run-1/log?stream=stdout&follow=true';
  const headers = { authorization: `Bearer ${token}` };
  const received = await new Promise<AsyncIterableIterator<Buffer>>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: server.port, path, headers });
    request.on('response', (response) => resolve(response.iterator()));
    request.on('error', reject);
    request.end();
  });
  for (const line of ['one\n', 'two\n']) {
    source.write(out(line));
    expect((await received.next()).value).toEqual(Buffer.from(line));
  }
  source.end();
  expect(await received.next()).toMatchObject({ done: true });
});

function ask(path: string) {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  return socket;
}

it('reads no faster than the client does, and stops when the client goes', async () => {
  let given = 0;
  const source = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      given += 1;
      this.push({ stream: 'stdout', data: Buffer.alloc(64 * 1024) });
    },
  });
  server.engine.openLog = () => source;
  const socket = ask('/v1/tasks/run-1/log?stream=stdout');
  socket.pause();
  await expect.poll(() => given).toBeGreaterThan(1);
  // The network's own buffers take a few megabytes; then nothing more must be asked for.
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = given === before;
        before = given;
        return isStill;
      },
      { interval: 100 },
    )
    .toBe(true);
  expect(given * 64).toBeLessThan(32 * 1024);
  expect(source.destroyed).toBe(false);
  socket.destroy();
  await expect.poll(() => source.destroyed).toBe(true);
  expect(server.logged).toEqual([]);
});

it('lets go of a log that is opened after the client has gone', async () => {
  const source = new PassThrough({ objectMode: true });
  const test = new EventEmitter();
  const asked = once(test, 'asked');
  server.engine.log = async () => {
    test.emit('asked');
    await once(test, 'gone');
    return source;
  };
  const socket = ask('/v1/tasks/run-1/log');
  await asked;
  socket.destroy();
  // The server hears of it before it could read anything that is sent after it.
  await server.ask('GET', '/v1/server');
  test.emit('gone');
  await expect.poll(() => source.destroyed).toBe(true);
  expect(server.logged).toEqual([]);
});

it('breaks one stream off where it fails half way, and notes why', async () => {
  const source = new PassThrough({ objectMode: true });
  server.engine.openLog = () => source;
  const answer = server.ask('GET', '/v1/tasks/run-1/log?stream=stdout');
  const broken = expect(answer).rejects.toThrow('aborted');
  source.write(out('half'));
  await expect.poll(() => server.engine.calls.length).toBe(1);
  source.destroy(new Error('the disk is on fire'));
  await broken;
  await expect.poll(() => server.logged.join()).toContain('the disk is on fire');
});

it.each([
  [new VbatchError('unreachable', 'The host big is unreachable.'), 'unreachable', 'The host big', 0],
  [new Error('the disk is on fire'), 'internal', 'look for', 1],
])('ends both streams with a frame that says why: %s', async (error, code, message, logged) => {
  const source = new PassThrough({ objectMode: true });
  server.engine.openLog = () => source;
  const answer = server.ask('GET', '/v1/tasks/run-1/log');
  source.write(out('half'));
  await expect.poll(() => server.engine.calls.length).toBe(1);
  source.destroy(error);
  const { bytes } = await answer;
  expect(bytes.subarray(0, 10).toString('latin1')).toBe('\x01\0\0\0\x04half\0');
  expect(JSON.parse(bytes.subarray(14).toString())).toEqual(failure(code, message));
  expect(server.logged).toHaveLength(logged);
});

it('ends followed logs at once when the server closes', async () => {
  const open = () => server.engine.calls.length;
  const sources = [new PassThrough({ objectMode: true }), new PassThrough({ objectMode: true })];
  server.engine.openLog = () => sources[open() - 1] ?? new PassThrough();
  const both = server.ask('GET', '/v1/tasks/run-1/log?follow=true');
  await expect.poll(open).toBe(1);
  const broken = expect(server.ask('GET', '/v1/tasks/run-1/log?stream=stdout&follow=true')).rejects.toThrow(
    'aborted',
  );
  await expect.poll(open).toBe(2);
  const start = performance.now();
  await server.close();
  expect(performance.now() - start).toBeLessThan(900);
  expect(JSON.parse((await both).bytes.subarray(5).toString())).toEqual(failure('noServer', 'run-1'));
  await broken;
  expect(sources.map((source) => source.destroyed)).toEqual([true, true]);
  expect(server.logged).toEqual([]);
});
