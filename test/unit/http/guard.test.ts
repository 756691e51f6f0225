import { expect, it } from 'vitest';
import { createGuard } from '../../../server/http/guard.ts';

const port = 4711;
const guard = createGuard('secret', ['vscode-webview://'], { holds: (key) => key === 'page' });
const good = { host: `127.0.0.1:${port}`, authorization: 'Bearer secret' };

it.each([
  [{}],
  [{ host: `localhost:${port}` }],
  [{ origin: `http://127.0.0.1:${port}` }],
  [{ origin: `http://localhost:${port}` }],
  [{ origin: 'vscode-webview://1a2b3c' }],
  [{ authorization: 'bearer  secret' }],
])('lets %j pass', (headers) => {
  expect(guard.check({ ...good, ...headers }, port, 'request')).toBeNull();
});

it.each([
  ['forbidden', { host: undefined }],
  ['forbidden', { host: 'evil.example' }],
  ['forbidden', { host: `evil.example:${port}` }],
  ['forbidden', { host: `127.0.0.1:${port + 1}` }],
  ['forbidden', { host: '127.0.0.1' }],
  ['forbidden', { origin: 'https://evil.example' }],
  ['forbidden', { origin: 'null' }],
  ['forbidden', { origin: `http://127.0.0.1:${port + 1}` }],
  ['forbidden', { origin: `https://127.0.0.1:${port}` }],
  ['forbidden', { origin: 'http://evil.example/vscode-webview://' }],
  ['unauthorized', { authorization: undefined }],
  ['unauthorized', { authorization: 'secret' }],
  ['unauthorized', { authorization: 'Basic secret' }],
  ['unauthorized', { authorization: 'Bearer secreT' }],
  ['unauthorized', { authorization: 'Bearer secret2' }],
  ['unauthorized', { authorization: 'Bearer sécret' }],
  ['unauthorized', { authorization: undefined, 'sec-websocket-protocol': 'vbatch.token.secret' }],
] as const)('answers %s to %j', (code, headers) => {
  expect(guard.check({ ...good, ...headers }, port, 'request')).toMatchObject({ code });
});

it('takes the token of a WebSocket from its subprotocols', () => {
  const offer = (text: string) => ({ host: good.host, 'sec-websocket-protocol': text });
  expect(guard.check(offer('vbatch, vbatch.token.secret'), port, 'socket')).toBeNull();
  expect(guard.check(offer('vbatch.token.secret'), port, 'socket')).toBeNull();
  expect(guard.check(offer('vbatch, vbatch.token.wrong'), port, 'socket')).toMatchObject({
    code: 'unauthorized',
  });
  expect(guard.check(offer('vbatch, secret'), port, 'socket')).toMatchObject({ code: 'unauthorized' });
});

it('keeps the token out of its messages', () => {
  const wrong = guard.check({ ...good, authorization: 'Bearer guess' }, port, 'request');
  expect(wrong?.message).not.toContain('secret');
  expect(wrong?.message).not.toContain('guess');
});
