import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../../server/client/client.ts';
import type { Address } from '../../../server/client/transport.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import type { LogChunk } from '../../../server/protocol/logs.ts';
import { type Fixture, startServer, token } from '../http/fixture.ts';

let server: Fixture;
let client: Client;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  server = await startServer();
  client = new Client({ port: server.port, token });
  server.engine.put('run-1/a b');
  server.engine.calls.length = 0;
});
afterEach(async () => {
  client.close();
  for (const end of ends.splice(0)) await end();
  await server.close();
});

const task = { command: ['true'], directory: '/tmp' };

function chunk(stream: LogChunk['stream'], text: string): LogChunk {
  return { stream, data: Buffer.from(text) };
}

async function collect(chunks: AsyncIterable<LogChunk>): Promise<{ stdout: string; stderr: string }> {
  const all = { stdout: '', stderr: '' };
  for await (const { stream, data } of chunks) all[stream] += data;
  return all;
}

it('searches a log, and throws where the search breaks off', async () => {
  const hits: unknown[] = [];
  const id = 'run-1/a b';
  for await (const message of client.searchLog(id, { text: 'u', attempt: 2 })) hits.push(message);
  expect(hits).toMatchObject([{ type: 'hit', stream: 'stdout', text: 'out' }, { type: 'end' }]);
  server.engine.openLog = () => {
    const source = new PassThrough({ objectMode: true });
    setImmediate(() => source.destroy(new VbatchError('unreachable', 'The host big is unreachable.')));
    return source;
  };
  await expect(client.searchLog(id, { text: 'u' }).next()).rejects.toThrow('The host big is unreachable.');
  expect(await client.logPlace(id, { attempt: 1, position: 2 })).toMatchObject({ attempt: 1, position: 2 });
});

describe('each function', () => {
  it('submits', async () => {
    const tasks = [
      { ...task, name: 'x', command: ['a\udcff'] },
      { ...task, pool: 'missing' },
    ];
    expect(await client.submit({ tasks })).toMatchObject([{ id: 'x-2' }, { error: { code: 'refused' } }]);
    expect(server.engine.calls).toMatchObject([['submit', tasks, {}, {}]]);
  });

  it('lists with every kind of filter', async () => {
    const filters = { below: 'a/b', pool: 'p', text: '*.csv', limit: 3, after: 'x' };
    await client.list({ ...filters, status: ['SUCCESS', 'FAILURE'], label: ['k=v', 'a=b=c,d'] });
    await client.list({ top: true });
    await client.list();
    expect(server.engine.calls).toEqual([
      ['list', { ...filters, statuses: ['SUCCESS', 'FAILURE'], labels: { k: 'v', a: 'b=c,d' } }],
      ['list', { parent: null, limit: 100 }],
      ['list', { limit: 100 }],
    ]);
  });

  it('reads tasks', async () => {
    expect(await client.task('run-1/a b')).toMatchObject({ id: 'run-1/a b' });
    expect(await client.tree('run-1/a b', 5)).toMatchObject([{ id: 'run-1/a b' }]);
    expect(await client.explain('run-1/a b')).toMatchObject({ sentences: ['It waits.'] });
  });

  it.each(['cancel', 'hold', 'release', 'retry'] as const)('can %s', async (word) => {
    expect(await client[word]('run-1/a b')).toMatchObject({ changed: true });
    expect(server.engine.calls).toEqual([[word, 'run-1/a b']]);
  });

  it('prunes, and asks for pools, hosts and the server', async () => {
    expect(await client.prune({ keep: 2 })).toEqual({ removed: ['old-1'] });
    expect(await client.pools('/w/x y')).toMatchObject([{ name: 'shell' }]);
    expect(await client.pools(null)).toHaveLength(1);
    expect(await client.hosts()).toMatchObject([{ name: 'local' }]);
    expect(await client.server()).toMatchObject({ version: '1.2.3' });
    expect(await client.stop()).toBe(process.pid);
    expect(server.engine.calls).toMatchObject([
      ['prune', { keep: 2 }],
      ['pools', '/w/x y'],
      ['pools', null],
    ]);
  });

  it('waits until a task is done', async () => {
    const done = client.whenDone('run-1/a b');
    await expect.poll(() => server.engine.waiting).toBe(1);
    server.engine.put('run-1/a b', { status: 'SUCCESS', resolvedAt: '2024-01-01T00:00:00Z' });
    expect(await done).toMatchObject({ status: 'SUCCESS' });
  });

  it('reads logs', async () => {
    expect(await collect(client.log('run-1/a b'))).toEqual({ stdout: 'out', stderr: 'err' });
    server.engine.openLog = () => PassThrough.from([chunk('stderr', 'x')]);
    const query = { stream: 'stderr', attempt: 2, offset: 7, follow: true } as const;
    expect(await collect(client.log('run-1/a b', query))).toEqual({ stdout: '', stderr: 'x' });
    expect(server.engine.calls).toEqual([
      ['log', { stream: 'both', offset: 0, follow: false }],
      ['log', query],
    ]);
  });
});

describe('failures', () => {
  it('are the server’s own', async () => {
    const error = new VbatchError('notFound', 'There is no task nobody.');
    await expect(client.task('nobody')).rejects.toEqual(error);
    await expect(collect(client.log('nobody'))).rejects.toEqual(error);
    await expect(client.submit({ tasks: [] })).rejects.toMatchObject({ code: 'invalid' });
    // A name that holds a lone surrogate cannot be put into a URL.
    await expect(client.task('\udcff')).rejects.toMatchObject({ code: 'notFound' });
  });

  it('in the midst of a log are told after what came before', async () => {
    const source = new PassThrough({ objectMode: true });
    server.engine.openLog = () => source;
    const seen: string[] = [];
    const read = async () => {
      for await (const { data } of client.log('run-1/a b')) {
        seen.push(String(data));
        source.destroy(new VbatchError('unreachable', 'The host big is unreachable.'));
      }
    };
    source.write(chunk('stdout', 'x'));
    await expect(read()).rejects.toEqual(new VbatchError('unreachable', 'The host big is unreachable.'));
    expect(seen).toEqual(['x']);
  });

  it('are noServer where nobody listens', async () => {
    await server.close();
    const error = {
      name: 'VbatchError',
      code: 'noServer',
      message: 'No vbatch server answers; it may have stopped.',
    };
    await expect(client.server()).rejects.toMatchObject(error);
    await expect(client.whenDone('run-1/a b')).rejects.toMatchObject(error);
  });

  it('are unauthorized where the token is wrong', async () => {
    const stranger = new Client({ port: server.port, token: 'wrong' });
    await expect(stranger.server()).rejects.toMatchObject({ code: 'unauthorized' });
    stranger.close();
  });
});

it('gives up when it is told to', async () => {
  const source = new PassThrough({ objectMode: true });
  server.engine.openLog = () => source;
  const leaving = new AbortController();
  const why = new Error('enough');
  const ended = [
    expect(client.whenDone('run-1/a b', leaving.signal)).rejects.toBe(why),
    expect(collect(client.followLog('run-1/a b', leaving.signal))).rejects.toBe(why),
  ];
  await expect.poll(() => [server.engine.waiting, server.engine.calls.length]).toEqual([1, 1]);
  leaving.abort(why);
  await Promise.all(ended);
  await expect.poll(() => [server.engine.waiting, source.destroyed]).toEqual([0, true]);
});

it('lets go of a log that is not read to its end', async () => {
  const source = new PassThrough({ objectMode: true });
  server.engine.openLog = () => source;
  source.write(chunk('stdout', 'x'));
  for await (const _ of client.log('run-1/a b', { follow: true })) break;
  await expect.poll(() => source.destroyed).toBe(true);
});

/** A server's address whose connections can be cut, before the server has answered or at any time. */
async function startCuttable(port: number) {
  const sockets = new Set<Socket>();
  let connections = 0;
  let cutAnswers = 0;
  const proxy = createServer((near) => {
    connections += 1;
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    // The server wants to be called by its own address.
    const renamed = (head: string) => head.replace(/Host: \S+/, `Host: 127.0.0.1:${port}`);
    near.on('data', (data) => far.write(renamed(data.toString('latin1')), 'latin1'));
    near.on('end', () => far.end());
    far.on('data', (data) => {
      if (cutAnswers > 0) {
        cutAnswers -= 1;
        near.destroy();
      } else {
        near.write(data);
      }
    });
    far.on('end', () => near.end());
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const shut = () => {
    proxy.close();
    cut();
  };
  ends.push(shut);
  return {
    address: { port: (proxy.address() as AddressInfo).port, token } satisfies Address,
    cut,
    shut,
    cutAnswers(count: number) {
      cutAnswers = count;
    },
    get connections() {
      return connections;
    },
  };
}

describe('R36 typing', () => {
  const request = { attempt: 1, offset: 4, data: Buffer.from('x').toString('base64') };
  const call = ['type', { attempt: 1, offset: 4, data: 'x', end: false }];

  it('says what is typed, and is told what came of it', async () => {
    expect(await client.type('run-1/a b', request)).toEqual({ attempt: 1, open: true });
    expect(server.engine.calls).toEqual([call]);
    await expect(client.type('nobody', request)).rejects.toMatchObject({ code: 'notFound' });
  });

  it('asks again after a lost connection, with the same bytes at the same place', async () => {
    const way = await startCuttable(server.port);
    const stubborn = new Client(way.address, async () => way.address);
    ends.push(() => stubborn.close());
    way.cutAnswers(3);
    expect(await stubborn.type('run-1/a b', request)).toEqual({ attempt: 1, open: true });
    expect(server.engine.calls).toEqual([call, call, call, call]);
  });

  it('waits for a server that comes back, and stops when nobody wants it any more', async () => {
    let searches = 0;
    const patient = new Client({ port: 1, token }, async () => {
      searches += 1;
      throw new VbatchError('noServer', 'No vbatch server runs.');
    });
    ends.push(() => patient.close());
    const wanted = new AbortController();
    const typed = patient.type('run-1/a b', request, wanted.signal);
    await expect.poll(() => searches).toBe(2);
    wanted.abort();
    await expect(typed).rejects.toThrow();
    expect(server.engine.calls).toEqual([]);
  });
});

describe('connections', () => {
  it('are kept and used again', async () => {
    const way = await startCuttable(server.port);
    const direct = new Client(way.address);
    for (let i = 0; i < 5; i++) await direct.server();
    expect(way.connections).toBe(1);
    direct.close();
  });

  it('that are lost make it ask again what may be asked twice, and nothing else', async () => {
    const way = await startCuttable(server.port);
    const stubborn = new Client(way.address, async () => way.address);
    ends.push(() => stubborn.close());
    way.cutAnswers(1);
    await stubborn.submit({ tasks: [{ ...task, key: 'k' }] });
    expect(server.engine.calls.map(([what]) => what)).toEqual(['submit', 'submit']);
    server.engine.calls.length = 0;
    way.cutAnswers(1);
    await expect(stubborn.submit({ tasks: [task] })).rejects.toMatchObject({
      code: 'noServer',
      message: expect.stringMatching(
        /^The connection to the vbatch server broke \(\w+\) during POST \/v1\/tasks\.$/,
      ),
    });
    way.cutAnswers(1);
    await expect(stubborn.retry('run-1/a b')).rejects.toMatchObject({ code: 'noServer' });
    expect(server.engine.calls.map(([what]) => what)).toEqual(['submit', 'retry']);
    way.cutAnswers(2);
    await expect(stubborn.server()).rejects.toMatchObject({ code: 'noServer' });
  });

  it('that are refused, or refuse the token, make it look for the server once for all requests', async () => {
    for (const old of [
      { port: 1, token },
      { port: server.port, token: 'that of the server before' },
    ]) {
      let searches = 0;
      const moved = new Client(old, async () => {
        searches += 1;
        return { port: server.port, token };
      });
      const answers = await Promise.all([moved.server(), moved.hosts(), moved.submit({ tasks: [task] })]);
      expect(answers).toHaveLength(3);
      expect(searches).toBe(1);
      moved.close();
    }
  });

  it('that are lost do not end a wait, not even while there is no server', async () => {
    const way = await startCuttable(server.port);
    let searches = 0;
    const patient = new Client(way.address, async () => {
      searches += 1;
      if (searches === 1) throw new VbatchError('noServer', 'No vbatch server runs.');
      return { port: server.port, token };
    });
    ends.push(() => patient.close());
    const done = patient.whenDone('run-1/a b');
    await expect.poll(() => server.engine.waiting).toBe(1);
    way.shut();
    await expect.poll(() => searches).toBe(2);
    await expect.poll(() => server.engine.waiting).toBe(1);
    server.engine.put('run-1/a b', { resolvedAt: '2024-01-01T00:00:00Z' });
    expect(await done).toMatchObject({ id: 'run-1/a b' });
  });

  it('that are lost do not end a followed log, of which each byte comes once', async () => {
    const way = await startCuttable(server.port);
    const patient = new Client(way.address, async () => way.address);
    ends.push(() => patient.close());
    const written = [chunk('stdout', 'one\n'), chunk('stderr', 'oops\n'), chunk('stdout', 'two\n')];
    let opened = 0;
    server.engine.openLog = () => {
      opened += 1;
      const source = new PassThrough({ objectMode: true });
      for (const each of written.slice(0, opened)) source.write(each);
      if (opened > written.length) source.end();
      return source;
    };
    const seen: string[] = [];
    for await (const { stream, data } of patient.followLog('run-1/a b')) {
      seen.push(`${stream} ${data.toString()}`);
      way.cut();
    }
    expect(seen).toEqual(['stdout one\n', 'stderr oops\n', 'stdout two\n']);
    expect(opened).toBe(4);
  });

  it('that are lost do not end a followed attempt, which goes on where both streams have come to', async () => {
    const way = await startCuttable(server.port);
    const patient = new Client(way.address, async () => way.address);
    ends.push(() => patient.close());
    const asked: unknown[] = [];
    server.engine.openLog = ({ attempt, before }) => {
      asked.push([attempt, before]);
      const source = new PassThrough({ objectMode: true });
      if (asked.length === 1) source.write(chunk('stderr', 'oops\n'));
      else source.end(chunk('stdout', 'two\n'));
      return source;
    };
    const seen: string[] = [];
    for await (const { data } of patient.followAttempt('run-1/a b', 2, { stdout: 4, stderr: 0 })) {
      seen.push(data.toString());
      way.cut();
    }
    expect(seen).toEqual(['oops\n', 'two\n']);
    expect(asked.slice(0, 2)).toEqual([
      [2, { stdout: 4, stderr: 0 }],
      [2, { stdout: 4, stderr: 5 }],
    ]);
  });
});
