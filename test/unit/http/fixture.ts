/** A real HTTP server over the fake engine, and a client that can say anything to it. */
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pino } from 'pino';
import { expect } from 'vitest';
import { createHttpServer, type HttpServerOptions } from '../../../server/http/server.ts';
import { FakeEngine } from '../../support/fakeEngine.ts';
import { FakeHosts } from '../../support/fakeHosts.ts';

export const token = 'correct-horse-battery-staple';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  /** The body as JSON. */
  readonly json: unknown;
}

export interface Asked {
  /** Sent as JSON, unless it is bytes or text already. */
  body?: unknown;
  /** Besides the token; undefined leaves a header out. */
  headers?: Record<string, string | undefined>;
}

export interface Fixture {
  engine: FakeEngine;
  hosts: FakeHosts;
  port: number;
  /** What the server has logged, one JSON text each. */
  logged: string[];
  ask(method: string, path: string, asked?: Asked): Promise<Answer>;
  close(): Promise<void>;
}

export async function startServer(
  options: Partial<HttpServerOptions> & { engine?: FakeEngine; hosts?: FakeHosts } = {},
): Promise<Fixture> {
  const { engine = new FakeEngine(), hosts = new FakeHosts() } = options;
  const logged: string[] = [];
  const server = createHttpServer({
    token,
    loginEnvironment: async () => new Map(),
    onStop: () => {},
    pageFolder: join(import.meta.dirname, '../../../dist/webview'),
    log: pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) }),
    ...options,
    engine,
    hosts,
  });
  const port = await server.listen();
  return {
    engine,
    hosts,
    port,
    logged,
    ask: (method, path, asked = {}) => ask(port, method, path, asked),
    close: () => server.close(),
  };
}

function ask(port: number, method: string, path: string, { body, headers }: Asked): Promise<Answer> {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const payload = body === undefined || isRaw ? body : JSON.stringify(body);
  const all: OutgoingHttpHeaders = { authorization: `Bearer ${token}`, ...headers };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: all }, (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      const answer = (bytes: Buffer): Answer => ({
        status,
        headers: answered,
        bytes,
        get json() {
          return JSON.parse(bytes.toString());
        },
      });
      buffer(response).then(answer).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(payload);
  });
}

/** The body of an error answer whose message holds all these parts. */
export function failure(code: string, ...parts: string[]) {
  const holdsAll = (text: string) => parts.every((part) => text.includes(part));
  return { error: { code, message: expect.toSatisfy(holdsAll) } };
}
