import { once } from 'node:events';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FrameDecoder } from '../../../server/client/logs.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import type { LogChunk } from '../../../server/protocol/logs.ts';
import { type Fixture, startServer, token } from './fixture.ts';

let server: Fixture;

beforeAll(async () => {
  server = await startServer();
  server.engine.put('run-1');
});
afterAll(() => server.close());

/** All that a socket gives until it is closed: what is text as JSON, and the frames in between taken apart. */
async function follow(path: string): Promise<{ texts: unknown[]; chunks: string[] }> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const texts: unknown[] = [];
  const chunks: string[] = [];
  const decoder = new FrameDecoder();
  const failed = new Promise<never>((_, reject) => {
    socket.on('message', (data: Buffer, isBinary) => {
      try {
        if (!isBinary) texts.push(JSON.parse(data.toString()));
        else
          for (const { stream, data: bytes } of decoder.push(data))
            chunks.push(`${stream} ${bytes.toString()}`);
      } catch (error) {
        reject(error);
      }
    });
  });
  await Promise.race([once(socket, 'close'), failed]);
  return { texts, chunks };
}

it('sends what a task writes, from near its end, and says when that is over', async () => {
  const { texts, chunks } = await follow('/v1/tasks/run-1/output?attempt=1&tail=10');
  expect(chunks).toEqual(['stdout out', 'stderr err']);
  expect(texts).toMatchObject([{ type: 'open', attempt: 1 }, { type: 'end' }]);
  const request = server.engine.calls.findLast(([name]) => name === 'log')?.[1];
  expect(request).toMatchObject({ stream: 'both', follow: true, attempt: 1 });
});

it('lets go of a log when nobody reads it any more', async () => {
  const source = new Readable({ objectMode: true, read() {} });
  server.engine.openLog = () => source;
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/v1/tasks/run-1/output`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await once(socket, 'message');
  socket.terminate();
  await once(source, 'close');
  expect(source.destroyed).toBe(true);
});

it('says why a log cannot be read on', async () => {
  const fail = async function* (): AsyncGenerator<LogChunk> {
    yield { stream: 'stdout', data: Buffer.from('begun') };
    throw new VbatchError('unreachable', 'The host is gone.');
  };
  server.engine.openLog = () => Readable.from(fail());
  await expect(follow('/v1/tasks/run-1/output')).rejects.toThrow('The host is gone.');
});
