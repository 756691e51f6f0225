import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { doorOf } from '../../../server/http/doorFile.ts';
import { startServer } from './fixture.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vb-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const passes = [{ page: 'p', secret: 's', until: 5 }];

it('is read as it was kept, by its owner alone', () => {
  doorOf(home).keep({ port: 1, passes: [] });
  chmodSync(join(home, 'pages.json'), 0o644);
  doorOf(home).keep({ port: 4711, passes });
  expect(doorOf(home).last).toEqual({ port: 4711, passes });
  expect(statSync(join(home, 'pages.json')).mode & 0o777).toBe(0o600);
});

it('is none where the file is missing or damaged', () => {
  expect(doorOf(home).last).toBeNull();
  for (const text of ['', '{', '{"port":0,"passes":[]}', '{"port":"1"}']) {
    writeFileSync(join(home, 'pages.json'), text);
    expect(doorOf(home).last).toBeNull();
  }
});

it('leads to the same port again, and to another one where that is taken', async () => {
  const first = await startServer();
  await first.close();
  const door = { last: { port: first.port, passes: [] }, keep: () => {} };
  const again = await startServer({ door });
  expect(again.port).toBe(first.port);
  const beside = await startServer({ door });
  expect(beside.port).not.toBe(first.port);
  await again.close();
  await beside.close();
});

it('lets pages in where nothing can be kept, and says so', async () => {
  const door = {
    last: null,
    keep() {
      throw new Error('no space left');
    },
  };
  const server = await startServer({ door });
  const { ticket } = (await server.ask('POST', '/v1/page/ticket')).json as { ticket: string };
  expect(await server.ask('POST', '/v1/page/key', { body: { ticket } })).toMatchObject({ status: 200 });
  expect(server.logged.join('')).toContain('no space left');
  await server.close();
});
