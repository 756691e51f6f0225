/** Bad input: each kind gets its clear error and harms nothing. */

import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

describe('bad input', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = new Sandbox();
    await sandbox.run('vctl', ['server', 'start']);
  });
  afterAll(() => sandbox.remove());

  it.each([
    ['vbatch --prioritty 3 true', 2, /unknown (flag|option).*--prioritty.*--priority/],
    ['vbatch --priority high true', 2, /--priority.*high/],
    ['vbatch --time soon true', 2, /--time.*soon/],
    ['vbatch', 2, /no command/],
    ['vbatch --after-success nobody true', 1, /no run is named "nobody"/],
    ["vbatch --after '*.txt' true", 1, /\*\.txt/],
    ['vbatch --gang -N 4 --cpus 1000 true', 1, /a gang of 4 can never start/],
    ['vbatch --cpus 1000 true', 1, /can never run this/],
    ['vbatch -P gpux true', 1, /there is no pool "gpux"/],
    ['vctl get nobody', 1, /there is no task "nobody"/],
    ['vctl tsak list', 2, /tsak.*task/],
    ['vctl list -o naem', 2, /naem.*name/],
  ])('%s exits with %i', async (line, code, message) => {
    const ended = await sandbox.shell(line);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });

  it('names file, line, key and the nearest valid one in a configuration, and recovers from it', async () => {
    const file = sandbox.env.VBATCH_CONFIG ?? '';
    const bad = {
      'pools:\n  a: { hosts: [local], slotts: 1 }\n': /config\.yaml:2.*slotts.*slots/s,
      'pools:\n  a: {}\n  a: {}\n': /config\.yaml:3.*a/s,
      'pools: [': /config\.yaml:1/,
      'pools:\n  a: { hosts: [lokal] }\n': /lokal.*local/s,
    };
    for (const [text, message] of Object.entries(bad)) {
      writeFileSync(file, text);
      const ended = await sandbox.shell('vbatch true');
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toMatch(message);
    }
    writeFileSync(file, '');
    expect((await sandbox.shell('vrun true')).code).toBe(0);
  });

  interface Sent {
    headers?: Record<string, string>;
    body: string | Buffer;
  }

  /** Status and body of the answer to a raw POST of tasks. */
  const post = ({ headers = {}, body }: Sent) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const { port, token } = sandbox.discovery() ?? { port: 0, token: '' };
      const all = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers };
      const sending = request(
        { host: '127.0.0.1', port, path: '/v1/tasks', method: 'POST', headers: all },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => (text += part));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      // The server may answer and close before it has read a body that is too large.
      sending.on('error', reject);
      sending.end(body);
    });
  const task = (fields: object) =>
    JSON.stringify({ tasks: [{ command: ['true'], directory: '/', ...fields }] });

  it.each<[string, Sent, number, RegExp]>([
    ['invalid JSON', { body: '{"tasks": [}' }, 400, /JSON/],
    ['an unknown key', { body: task({ pol: 'x' }) }, 400, /pol.*pool/s],
    ['a wrong token', { body: task({}), headers: { authorization: 'Bearer guess' } }, 401, /token/],
    ['a foreign Host', { body: task({}), headers: { host: 'evil.example' } }, 403, /Host|host/],
    [
      'a foreign Origin',
      { body: task({}), headers: { origin: 'http://evil.example' } },
      403,
      /Origin|origin/,
    ],
    [
      'a 10 MB argument',
      { body: task({ command: ['echo', 'x'.repeat(10_000_000)] }) },
      400,
      /longer than 131071 bytes/,
    ],
    ['a NUL in an argument', { body: task({ command: ['a\0b'] }) }, 400, /NUL/],
    ['a relative directory', { body: task({ directory: 'here' }) }, 400, /directory/],
  ])('answers %s', async (_, sent, status, message) => {
    const answer = await post(sent);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(message);
    expect(answer.text.length).toBeLessThan(2_000);
  });

  it('answers a 50 MB body without taking it in', async () => {
    const answer = await post({ body: Buffer.alloc(50 * 1024 * 1024, 32) }).catch(
      (error: NodeJS.ErrnoException) => error,
    );
    if (answer instanceof Error) expect(['EPIPE', 'ECONNRESET']).toContain(answer.code);
    else expect(answer.status).toBe(413);
    expect((await sandbox.shell('vrun true')).code).toBe(0);
  });

  it('takes 100 nested calls at once', async () => {
    const run = await sandbox.submitted(
      `vbatch bash -c 'seq 100 | xargs -P 100 -I {} vbatch --name n{} true | sort | uniq | wc -l'`,
    );
    expect(run).toMatchObject({ status: 'SUCCESS', children: { total: 100, done: 100, failed: 0 } });
    expect((await sandbox.log(run.id)).stdout).toBe('100\n');
  });

  it('refuses a second server on the same state folder', async () => {
    const second = await sandbox.run(
      'node',
      ['dist/server.cjs'].map((path) => new URL(`../../${path}`, import.meta.url).pathname),
    );
    expect(second.code).toBe(1);
    expect(second.stdout + second.stderr).toMatch(/another|runs|holds/i);
    expect((await sandbox.shell('vrun true')).code).toBe(0);
  });
});
