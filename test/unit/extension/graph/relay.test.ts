import { expect, it } from 'vitest';
import { Relay, type RelayedClient } from '../../../../extension/graph/relay.ts';
import { VbatchError } from '../../../../server/protocol/errors.ts';
import type { EditorMessage } from '../../../../webview/link/messages.ts';
import { detail, view } from '../../cli/fixture.ts';

/** A relay, what it has told its page, and what it has done. */
function setUp(client: Partial<RelayedClient> = {}) {
  const told: EditorMessage[] = [];
  const done: string[] = [];
  const task = detail(view('r/a', 'RUNNING'));
  const all = { task: async () => task, ...client } as RelayedClient;
  const relay = new Relay({
    client: async () => all,
    stream(below, listener) {
      done.push(`stream ${below}`);
      listener({ type: 'failed', error: new VbatchError('notFound', 'There is no such run.') });
      return () => done.push('stopped');
    },
    post: (message) => told.push(message),
    showLog: (id) => done.push(`log ${id}`),
    showPlace: (id, { path, line }) => done.push(`place ${path}:${line} of ${id}`),
    ready: () => done.push('ready'),
  });
  return { relay, told, done };
}

it('answers what the page may ask, with the name it belongs to', async () => {
  const { relay, told } = setUp({
    cancel: async (id) => ({ id, changed: true, message: `cancelled ${id}` }),
  });
  relay.take({ type: 'request', call: 1, method: 'GET', path: '/v1/tasks/r%2Fa' });
  relay.take({ type: 'request', call: 2, method: 'POST', path: '/v1/tasks/r%2Fa/cancel' });
  await expect.poll(() => told.length).toBe(2);
  expect(told).toMatchObject([
    { type: 'answer', call: 1, answer: { id: 'r/a' } },
    { type: 'answer', call: 2, answer: { message: 'cancelled r/a' } },
  ]);
});

it.each([
  ['POST', '/v1/tasks'],
  ['POST', '/v1/server/stop'],
  ['POST', '/v1/tasks/r'],
  ['GET', '/v1/tasks/r/cancel'],
  ['POST', '/v1/tasks/r/../../prune'],
] as const)('does not %s %s for it', async (method, path) => {
  const { relay, told } = setUp();
  relay.take({ type: 'request', call: 1, method, path });
  await expect.poll(() => told).toMatchObject([{ type: 'failure', call: 1 }]);
});

it('relays streams, and ends them with the page or its document', () => {
  const { relay, told, done } = setUp();
  relay.take({ type: 'ready' });
  relay.take({ type: 'stream', call: 1, query: { below: 'r' } });
  relay.take({ type: 'stream', call: 2, query: {} });
  relay.take({ type: 'end', call: 1 });
  relay.take({ type: 'ready' });
  relay.dispose();
  expect(done).toEqual(['ready', 'stream r', 'stream null', 'stopped', 'stopped', 'ready']);
  expect(told[0]).toEqual({
    type: 'event',
    call: 1,
    event: { type: 'disconnected', reason: 'There is no such run.' },
  });
});

it('tells a server that was lost, after which a page may ask again, from what is no use', async () => {
  const errors = [new VbatchError('noServer', 'It is gone.'), new VbatchError('notFound', 'There is none.')];
  const { relay, told } = setUp({
    logPlace: async () => {
      throw errors.shift() ?? new Error('asked too often');
    },
  });
  const log = { type: 'log', call: 7, query: { id: 'r/a', attempt: null, tail: 4 } } as const;
  relay.take(log);
  await expect.poll(() => told.at(-1)).toEqual({ type: 'logLost', call: 7, reason: 'It is gone.' });
  relay.take(log);
  await expect.poll(() => told.at(-1)).toEqual({ type: 'logEnd', call: 7, error: 'There is none.' });
});

it('relays the end of a log byte for byte, until it is let go of', async () => {
  const asked: unknown[] = [];
  const { relay, told } = setUp({
    logPlace: async (id, query) => {
      asked.push(id, query);
      return {
        attempt: 2,
        over: false,
        whole: true,
        size: { stdout: 9, stderr: 0 },
        position: 5,
        before: { stdout: 5, stderr: 0 },
      };
    },
    async *log(_id, query) {
      asked.push(query);
      const bytes = Buffer.from('hä');
      yield { stream: 'stdout', data: bytes.subarray(0, 2) };
      yield { stream: 'stdout', data: bytes.subarray(2) };
    },
  });
  relay.take({ type: 'log', call: 7, query: { id: 'r/a', attempt: 2, tail: 4 } });
  await expect.poll(() => told.at(-1)).toEqual({ type: 'logEnd', call: 7, error: null });
  expect(asked).toEqual([
    'r/a',
    { attempt: 2, position: -4 },
    { attempt: 2, stdout: 5, stderr: 0, follow: true },
  ]);
  const bytes = told.flatMap((message) => (message.type === 'logData' ? [...message.bytes] : []));
  expect(Buffer.from(bytes).toString()).toBe('hä');
  // A Buffer would cross as a list of numbers.
  expect(told.some((message) => message.type === 'logData' && Buffer.isBuffer(message.bytes))).toBe(false);
  expect(told[0]).toEqual({ type: 'logBegin', call: 7, before: { stdout: 5, stderr: 0 } });
});
