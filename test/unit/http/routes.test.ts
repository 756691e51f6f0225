import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { routes } from '../../../server/http/routes/index.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import { keyQuestion } from '../../support/fakeHosts.ts';
import { type Fixture, failure, startServer } from './fixture.ts';

const login = new Map([
  ['LANG', 'C'],
  ['EDITOR', 'vi'],
]);
let server: Fixture;
let stops = 0;

beforeAll(async () => {
  server = await startServer({
    loginEnvironment: async () => login,
    onStop: () => {
      stops += 1;
    },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.engine.calls.length = 0;
  server.engine.put('run-1/a b', { status: 'RUNNING' });
});

const task = { command: ['true'], directory: '/tmp' };

/** Asks, and checks the answer against the schema that the table of routes promises. */
async function ask(method: 'get' | 'post', path: string, body?: unknown): Promise<unknown> {
  const answer = await server.ask(method.toUpperCase(), path, { body });
  expect(answer).toMatchObject({ status: 200 });
  const bare = path
    .replace(/\?.*/, '')
    .replace(/\/tasks\/[^/]+/, '/tasks/{id}')
    .replace(/\/runs\/[^/]+/, '/runs/{id}')
    .replace(/\/hosts\/[^/]+/, '/hosts/{name}');
  const route = routes.find((each) => each.path === bare && each.method === method);
  if (route?.kind !== 'json') throw new Error(`${method} ${bare} is not in the table`);
  return route.answer.parse(answer.json);
}

const oneTask = encodeURIComponent('run-1/a b');

it('submits tasks, each with its result in order', async () => {
  const answer = await ask('post', '/v1/tasks', {
    tasks: [{ ...task, name: 'one' }, { ...task, pool: 'missing' }, task],
  });
  expect(answer).toEqual({
    results: [
      { id: expect.stringMatching(/^one-/), notes: [] },
      { error: { code: 'refused', message: 'There is no pool "missing".' } },
      { id: expect.stringMatching(/^task-/), notes: [] },
    ],
  });
  expect(server.engine.calls).toMatchObject([
    ['submit', [{ name: 'one', priority: 0 }, {}, {}], { parent: null, attempt: 0 }, { dryRun: false }],
  ]);
});

it('passes a dry run on', async () => {
  await ask('post', '/v1/tasks', { tasks: [task], dryRun: true });
  expect(server.engine.calls).toMatchObject([['submit', [task], {}, { dryRun: true }]]);
});

it('R34 submits with what the submitter has changed since the login', async () => {
  const environment = { LANG: 'de', PWD: '/x', HOME: '/h' };
  await ask('post', '/v1/tasks', { tasks: [{ ...task, environment }] });
  const change = { set: { LANG: 'de', HOME: '/h' }, unset: ['EDITOR'] };
  expect(server.engine.calls).toMatchObject([['submit', [{}], { environment: change }, {}]]);
});

it('R34 keeps apart the environments of one request, in order', async () => {
  const named = (name: string, environment?: Record<string, string>) => ({ ...task, name, environment });
  const tasks = [named('a', { X: '1' }), named('b', { X: '1' }), named('c'), named('d', { X: '2' })];
  const answer = await ask('post', '/v1/tasks', { tasks });
  expect(server.engine.calls).toMatchObject([
    ['submit', [{ name: 'a' }, { name: 'b' }], { environment: { set: { X: '1' } } }, {}],
    ['submit', [{ name: 'c' }], { environment: { set: {}, unset: [] } }, {}],
    ['submit', [{ name: 'd' }], { environment: { set: { X: '2' } } }, {}],
  ]);
  const ids = ['a', 'b', 'c', 'd'].map((name) => ({ id: expect.stringMatching(`^${name}-`), notes: [] }));
  expect(answer).toEqual({ results: ids });
});

it('carries bytes that are not UTF-8 through as lone surrogates', async () => {
  await ask('post', '/v1/tasks', { tasks: [{ ...task, command: ['echo', 'a\udcffb', '\n"\\-'] }] });
  expect(server.engine.calls).toMatchObject([
    ['submit', [{ command: ['echo', 'a\udcffb', '\n"\\-'] }], {}, {}],
  ]);
});

it('refuses a command line that is too large in all', async () => {
  const command = Array.from({ length: 9 }, () => 'x'.repeat(120_000));
  const answer = await server.ask('POST', '/v1/tasks', { body: { tasks: [task, { ...task, command }] } });
  expect(answer.status).toBe(413);
  expect(answer.json).toEqual(failure('tooLarge', 'tasks[1]', '1080009 bytes', '1048576'));
  expect(server.engine.calls).toEqual([]);
});

it.each([
  ['', { limit: 100 }],
  ['?top=true&limit=5', { parent: null, limit: 5 }],
  ['?parent=run-1%2Fa', { parent: 'run-1/a', limit: 100 }],
  [
    '?below=run-1&pool=gpu-1&text=*.csv&after=xyz',
    { below: 'run-1', pool: 'gpu-1', text: '*.csv', after: 'xyz', limit: 100 },
  ],
  [
    '?status=SUCCESS,FAILURE&label=k=v&label=a=b=c',
    { statuses: ['SUCCESS', 'FAILURE'], labels: { k: 'v', a: 'b=c' }, limit: 100 },
  ],
])('lists tasks by %s', async (query, wanted) => {
  await ask('get', `/v1/tasks${query}`);
  expect(server.engine.calls).toEqual([['list', wanted]]);
});

it('refuses a list of children that are runs', async () => {
  const answer = await server.ask('GET', '/v1/tasks?top=true&parent=a');
  expect(answer).toMatchObject({ status: 400, json: failure('invalid', 'exclude each other') });
});

it('gives a task, its tree and its explanation', async () => {
  expect(await ask('get', `/v1/tasks/${oneTask}`)).toMatchObject({ id: 'run-1/a b', attempts: [] });
  expect(await ask('get', `/v1/tasks/${oneTask}/tree?limit=1`)).toMatchObject({
    tasks: [{ id: 'run-1/a b' }],
  });
  expect(await ask('get', `/v1/tasks/${oneTask}/explain`)).toMatchObject({ sentences: ['It waits.'] });
});

it.each(['cancel', 'hold', 'release', 'retry'])('can %s a task', async (word) => {
  expect(await ask('post', `/v1/tasks/${oneTask}/${word}`)).toMatchObject({ id: 'run-1/a b', changed: true });
  expect(server.engine.calls).toEqual([[word, 'run-1/a b']]);
});

it('R36 types bytes into a task', async () => {
  const path = `/v1/tasks/${oneTask}/stdin`;
  const bytes = Buffer.from([0, 10, 255]);
  const typed = { attempt: null, offset: 0, data: bytes.toString('base64') };
  expect(await ask('post', path, typed)).toEqual({ attempt: 1, open: true });
  expect(await ask('post', path, { attempt: 2, offset: 3, data: '', end: true })).toEqual({
    attempt: 1,
    open: false,
  });
  expect(server.engine.calls).toEqual([
    ['type', { attempt: null, offset: 0, data: bytes.toString(), end: false }],
    ['type', { attempt: 2, offset: 3, data: '', end: true }],
  ]);
});

it.each([
  { attempt: 0, offset: 0, data: '' },
  { attempt: 1, offset: -1, data: '' },
  { attempt: 1, offset: 0, data: 'not base64' },
  { attempt: 1, offset: 0, data: 'A'.repeat(64 * 1024 + 4) },
  { offset: 0, data: '' },
])('refuses to type what cannot be', async (body) => {
  const answer = await server.ask('POST', `/v1/tasks/${oneTask}/stdin`, { body });
  expect(answer).toMatchObject({ status: 400, json: failure('invalid') });
  expect(server.engine.calls).toEqual([]);
});

it.each([
  ['GET', ''],
  ['GET', '/tree'],
  ['GET', '/explain'],
  ['GET', '/wait'],
  ['GET', '/log'],
  ['GET', '/log?stream=stdout'],
  ['POST', '/cancel'],
  ['POST', '/hold'],
  ['POST', '/release'],
  ['POST', '/retry'],
  ['POST', '/stdin', { attempt: 1, offset: 0, data: '' }],
])('answers 404 to %s of an unknown task%s', async (method, rest, body?: object) => {
  const answer = await server.ask(method, `/v1/tasks/nobody${rest}`, { body });
  expect(answer).toMatchObject({ status: 404, json: failure('notFound', 'nobody') });
});

it('answers a wait when the task is done', async () => {
  const answer = ask('get', `/v1/tasks/${oneTask}/wait`);
  await expect.poll(() => server.engine.waiting).toBe(1);
  server.engine.put('run-1/a b', { status: 'SUCCESS', resolvedAt: '2024-01-01T00:00:00Z' });
  expect(await answer).toMatchObject({ status: 'SUCCESS' });
});

it('prunes by age and number', async () => {
  expect(await ask('post', '/v1/prune', { before: '2024-01-02T03:04:05Z', keep: 3 })).toEqual({
    removed: ['old-1'],
  });
  expect(server.engine.calls).toEqual([['prune', { before: Date.UTC(2024, 0, 2, 3, 4, 5), keep: 3 }]]);
  const start = Date.now();
  await ask('post', '/v1/prune', {});
  const [, options] = server.engine.calls[1] as [string, { before: number; keep: number }];
  expect(options.keep).toBe(0);
  expect(options.before).toBeGreaterThanOrEqual(start);
});

it('gives pools, hosts and the server', async () => {
  expect(await ask('get', '/v1/pools?workspace=/w')).toMatchObject({ pools: [{ name: 'shell' }] });
  await ask('get', '/v1/pools');
  expect(server.engine.calls).toEqual([
    ['pools', '/w'],
    ['pools', null],
  ]);
  expect(await ask('get', '/v1/hosts')).toMatchObject({ hosts: [{ name: 'local' }] });
  expect(await ask('get', '/v1/server')).toMatchObject({ version: '1.2.3', pid: process.pid });
});

it('connects a host, by way of a question', async () => {
  const { hosts } = server;
  hosts.outcomes = [keyQuestion, null];
  expect(await ask('post', '/v1/hosts/gpu-box/connect', { workspace: '/w' })).toMatchObject({
    host: { name: 'gpu-box', state: 'connecting', question: 'hostKey' },
    question: { id: 'q1', fingerprint: 'SHA256:abc' },
  });
  expect(await ask('post', '/v1/hosts/gpu-box/answer', { id: 'q1', answer: 'yes' })).toMatchObject({
    host: { state: 'online', question: null },
    question: null,
  });
  expect(hosts.calls).toEqual([
    ['connect', 'gpu-box', '/w'],
    ['answer', 'gpu-box', { id: 'q1', answer: 'yes' }],
  ]);
});

it('says why a host cannot be connected, and nothing of an answer', async () => {
  const { hosts } = server;
  hosts.outcomes = [new VbatchError('refused', 'The key has changed.'), new Error('secret stays here')];
  const refused = await server.ask('POST', '/v1/hosts/box/connect', { body: {} });
  expect(refused).toMatchObject({ status: 409, json: failure('refused', 'The key has changed.') });
  const wrong = await server.ask('POST', '/v1/hosts/box/answer', { body: { id: 'q1', answer: ['pass'] } });
  expect(wrong).toMatchObject({ status: 400, json: failure('invalid', 'answer') });
  const broken = await server.ask('POST', '/v1/hosts/box/answer', {
    body: { id: 'q1', answer: 'hush hush' },
  });
  expect(broken.status).toBe(500);
  expect([broken.bytes.toString(), ...server.logged].join()).not.toContain('hush');
});

it('adds a host to the configuration, and removes it', async () => {
  const { hosts } = server;
  hosts.calls.length = 0;
  const written = { file: '/config.yaml', changed: true };
  expect(await ask('post', '/v1/hosts', { name: 'box', host: { cpus: 4 } })).toEqual(written);
  expect(await ask('post', '/v1/hosts', { name: 'box' })).toEqual(written);
  expect(await ask('post', '/v1/hosts/box/remove', { force: true })).toEqual(written);
  expect(hosts.calls).toEqual([
    ['add', 'box', { cpus: 4 }],
    ['add', 'box', {}],
    ['remove', 'box', true],
  ]);
});

it('lets go of a host, checks it, and prunes it', async () => {
  const { hosts } = server;
  hosts.calls.length = 0;
  expect(await ask('post', '/v1/hosts/box/disconnect')).toMatchObject({ state: 'disconnected' });
  expect(await ask('post', '/v1/hosts/box/check', {})).toEqual({ host: 'box', findings: hosts.report });
  const folder = 'ab'.repeat(12);
  expect(await ask('post', '/v1/hosts/box/prune', { folders: [folder] })).toMatchObject({ freed: 2048 });
  expect(hosts.calls).toEqual([
    ['disconnect', 'box'],
    ['check', 'box', null],
    ['prune', 'box', [folder]],
  ]);
  const stray = await server.ask('POST', '/v1/hosts/box/prune', { body: { folders: ['../..'] } });
  expect(stray).toMatchObject({ status: 400, json: failure('invalid', 'folders[0]') });
});

it('answers a request to stop, then stops', async () => {
  expect(await ask('post', '/v1/server/stop')).toEqual({ pid: process.pid });
  await expect.poll(() => stops).toBe(1);
});

it.each([
  '/v1/events',
  '/v1/tasks/x/output',
  '/v1/tasks/x/terminal?rows=1&columns=1',
  '/v1/tasks/x/shell?rows=1&columns=1&term=xterm',
])('says that %s is a WebSocket', async (path) => {
  const answer = await server.ask('GET', path);
  expect(answer).toMatchObject({ status: 400, json: failure('invalid', 'WebSocket') });
});

it('shows what a run has made of its files', async () => {
  expect(await ask('get', '/v1/runs/run-1/files?all=true')).toMatchObject({
    id: 'run-1',
    files: [{ path: 'a', change: 'new' }],
  });
});

it('compares a run with another one, and with the folder as it is', async () => {
  expect(await ask('get', '/v1/runs/run-1/diff?with=run-2')).toMatchObject({ id: 'run-1', with: 'run-2' });
  expect(await ask('get', '/v1/runs/run-1/diff?contents=true')).toMatchObject({ id: 'run-1', with: null });
  expect(server.engine.calls).toEqual([
    ['runDiff', 'run-1', 'run-2', false],
    ['runDiff', 'run-1', null, true],
  ]);
});

it('writes the files of a run into a folder', async () => {
  const body = { directory: '/tmp/there', first: true };
  expect(await ask('post', '/v1/runs/run-1/checkout', body)).toEqual({
    id: 'run-1',
    files: 1,
    bytes: 2,
    left: ['a:b'],
  });
  expect(server.engine.calls).toEqual([['checkOut', 'run-1', '/tmp/there', true]]);
  const relative = await server.ask('POST', '/v1/runs/run-1/checkout', { body: { directory: 'there' } });
  expect(relative).toMatchObject({ status: 400, json: failure('invalid', 'directory') });
});

it('has a test above for each route of the table', () => {
  // A new route changes this list: add its test, then its line.
  expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
    'get /v1/events',
    'get /v1/hosts',
    'get /v1/pools',
    'get /v1/runs/{id}/diff',
    'get /v1/runs/{id}/files',
    'get /v1/server',
    'get /v1/tasks',
    'get /v1/tasks/{id}',
    'get /v1/tasks/{id}/explain',
    'get /v1/tasks/{id}/log',
    'get /v1/tasks/{id}/log/place',
    'get /v1/tasks/{id}/log/search',
    'get /v1/tasks/{id}/output',
    'get /v1/tasks/{id}/shell',
    'get /v1/tasks/{id}/terminal',
    'get /v1/tasks/{id}/tree',
    'get /v1/tasks/{id}/wait',
    'post /v1/hosts',
    'post /v1/hosts/{name}/answer',
    'post /v1/hosts/{name}/check',
    'post /v1/hosts/{name}/connect',
    'post /v1/hosts/{name}/disconnect',
    'post /v1/hosts/{name}/prune',
    'post /v1/hosts/{name}/remove',
    'post /v1/page/key',
    'post /v1/page/pass',
    'post /v1/page/return',
    'post /v1/page/ticket',
    'post /v1/prune',
    'post /v1/runs/{id}/checkout',
    'post /v1/server/stop',
    'post /v1/tasks',
    'post /v1/tasks/{id}/cancel',
    'post /v1/tasks/{id}/hold',
    'post /v1/tasks/{id}/release',
    'post /v1/tasks/{id}/retry',
    'post /v1/tasks/{id}/stdin',
  ]);
});
