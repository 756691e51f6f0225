import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  PageKeys,
  type PageKeysOptions,
  type Pass,
  passMs,
  ticketMs,
} from '../../../server/http/pageKeys.ts';
import { type Fixture, failure, startServer } from './fixture.ts';

let server: Fixture;

beforeAll(async () => {
  server = await startServer();
  server.engine.put('run-1');
});
afterAll(() => server.close());

const bare = { authorization: undefined };

async function newKey(): Promise<string> {
  const { ticket } = (await server.ask('POST', '/v1/page/ticket')).json as { ticket: string };
  const answer = await server.ask('POST', '/v1/page/key', { body: { ticket }, headers: bare });
  return (answer.json as { key: string }).key;
}

function as(key: string) {
  return { headers: { authorization: `Bearer ${key}` } };
}

function pageKeys(options: Partial<PageKeysOptions> = {}): PageKeys {
  return new PageKeys({ now: () => 0, date: () => 0, passes: [], keep: () => {}, ...options });
}

/** What a page does with the secret of its pass (webview/link/pass.ts). */
function sign(secret: string, text: string): string {
  return createHmac('sha256', Buffer.from(secret, 'base64url')).update(text).digest('base64url');
}

it('lets a page back in after a restart, and proves for its port who it is', () => {
  let kept: readonly Pass[] = [];
  const before = pageKeys({ keep: (passes) => (kept = passes) });
  const old = before.redeem(before.issueTicket());
  const { page, secret } = before.passOf(old);

  const after = pageKeys({ passes: kept, keep: (passes) => (kept = passes) });
  after.port = 4711;
  expect(after.holds(old)).toBe(false);
  const { nonce, proof } = after.comeBack(page, 'challenge');
  expect(proof).toBe(sign(secret, `server ${nonce} 4711 challenge`));
  expect(after.holds(sign(secret, `page ${nonce}`))).toBe(true);
  expect(after.passOf(sign(secret, `page ${nonce}`))).toEqual({ page, secret });
});

it('knows no page that it has not let in, nor one that was away for too long', () => {
  let kept: readonly Pass[] = [];
  const before = pageKeys({ keep: (passes) => (kept = passes) });
  const { page } = before.passOf(before.redeem(before.issueTicket()));
  expect(() => pageKeys().comeBack(page, 'x')).toThrow('vctl open');
  expect(() => pageKeys().passOf('x')).toThrow('vctl open');
  expect(() => pageKeys({ passes: kept, date: () => passMs }).comeBack(page, 'x')).toThrow('vctl open');
});

it('keeps few pages, those that were let in last', () => {
  const keys = pageKeys();
  const [first = '', second = '', ...rest] = Array.from({ length: 200 }, () =>
    keys.redeem(keys.issueTicket()),
  );
  keys.comeBack(keys.passOf(first).page, 'x');
  const newest = keys.redeem(keys.issueTicket());
  expect([first, second, newest, rest.at(-1) ?? ''].map((key) => keys.holds(key))).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

it('tells neither secret nor key to who comes back', async () => {
  const key = await newKey();
  const asked = await server.ask('POST', '/v1/page/pass', { body: { key }, headers: bare });
  const { page, secret } = asked.json as { page: string; secret: string };
  const answer = await server.ask('POST', '/v1/page/return', {
    body: { page, challenge: 'c' },
    headers: bare,
  });
  const { nonce, proof } = answer.json as { nonce: string; proof: string };
  expect(proof).toBe(sign(secret, `server ${nonce} ${server.port} c`));
  expect(sign(secret, `page ${nonce}`)).toBe(key);
  expect(answer.bytes.toString()).not.toContain(key);
  for (const headers of [{ origin: 'http://127.0.0.1:1' }, { host: 'evil.example' }]) {
    const foreign = await server.ask('POST', '/v1/page/pass', {
      body: { key },
      headers: { ...bare, ...headers },
    });
    expect(foreign.status).toBe(403);
  }
});

it('gives a key for a ticket once, and never again', async () => {
  const { ticket } = (await server.ask('POST', '/v1/page/ticket')).json as { ticket: string };
  const first = await server.ask('POST', '/v1/page/key', { body: { ticket }, headers: bare });
  expect(first.status).toBe(200);
  const second = await server.ask('POST', '/v1/page/key', { body: { ticket }, headers: bare });
  expect(second).toMatchObject({ status: 401, json: failure('unauthorized', 'vctl open') });
});

it('gives a ticket only to who knows the token, and none to a page', async () => {
  expect(await server.ask('POST', '/v1/page/ticket', { headers: bare })).toMatchObject({ status: 401 });
  expect(await server.ask('POST', '/v1/page/ticket', as(await newKey()))).toMatchObject({ status: 403 });
});

it('takes no ticket from a foreign page, nor under a foreign name', async () => {
  const { ticket } = (await server.ask('POST', '/v1/page/ticket')).json as { ticket: string };
  for (const headers of [{ origin: 'http://127.0.0.1:1' }, { host: 'evil.example' }]) {
    const answer = await server.ask('POST', '/v1/page/key', {
      body: { ticket },
      headers: { ...bare, ...headers },
    });
    expect(answer).toMatchObject({ status: 403 });
  }
});

it('lets a page look and steer, but run, stop or change nothing else', async () => {
  const key = as(await newKey());
  for (const path of ['/v1/tasks', '/v1/tasks/run-1', '/v1/tasks/run-1/explain', '/v1/hosts', '/v1/server']) {
    expect(await server.ask('GET', path, key)).toMatchObject({ status: 200 });
  }
  expect(await server.ask('POST', '/v1/tasks/run-1/cancel', key)).toMatchObject({ status: 200 });
  for (const path of ['/v1/tasks', '/v1/server/stop', '/v1/prune', '/v1/hosts', '/v1/tasks/run-1/stdin']) {
    expect(await server.ask('POST', path, { body: {}, ...key })).toMatchObject({ status: 403 });
  }
});

it('forgets tickets that nobody used within the hour', () => {
  let now = 0;
  const keys = pageKeys({ now: () => now });
  const [early, late] = [keys.issueTicket(), keys.issueTicket()];
  now = ticketMs;
  expect(keys.holds(keys.redeem(early))).toBe(true);
  now = ticketMs + 1;
  expect(() => keys.redeem(late)).toThrow('vctl open');
});

it('keeps few tickets, the newest', () => {
  const keys = pageKeys();
  const oldest = keys.issueTicket();
  const newer = Array.from({ length: 1_000 }, () => keys.issueTicket());
  expect(() => keys.redeem(oldest)).toThrow();
  expect(keys.holds(keys.redeem(newer[0] ?? ''))).toBe(true);
});

it('gives the files of the page without a token, but only under its own name', async () => {
  const { status, headers } = await server.ask('GET', '/', { headers: bare });
  expect(status).toBe(200);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers['content-security-policy']).not.toContain('unsafe');
  expect(await server.ask('GET', '/', { headers: { ...bare, host: 'evil.example' } })).toMatchObject({
    status: 403,
  });
  expect(await server.ask('GET', '/../server.json', { headers: bare })).toMatchObject({ status: 401 });
});

it('opens the event stream to a key and to no other text, and no terminal', async () => {
  const status = (path: string, key: string, origin?: string) =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(
        `ws://127.0.0.1:${server.port}${path}`,
        ['vbatch', `vbatch.token.${key}`],
        {
          ...(origin !== undefined && { origin }),
        },
      );
      socket.on('open', () => {
        socket.terminate();
        resolve(101);
      });
      socket.on('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode ?? 0);
      });
      socket.on('error', () => {});
    });
  const key = await newKey();
  expect(await status('/v1/events?top=true', key, `http://127.0.0.1:${server.port}`)).toBe(101);
  expect(await status('/v1/events', 'wrong')).toBe(401);
  expect(await status('/v1/events', key, 'http://evil.example')).toBe(403);
  expect(await status('/v1/tasks/run-1/shell?rows=1&columns=1&term=x', key)).toBe(403);
});
