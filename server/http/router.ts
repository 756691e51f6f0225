/** The express application: the guard, the routes of the table, and an answer for everything else. */
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import { VbatchError } from '../protocol/errors.ts';
import { readJson } from './body.ts';
import { failureAnswer } from './failures.ts';
import type { Guard } from './guard.ts';
import { pagePaths, readPageFile } from './pageFiles.ts';
import { parseQuery } from './query.ts';
import { type ByteAnswer, type Call, noBody, type Route, type Services } from './route.ts';
import { validate } from './validate.ts';

export interface RouterOptions {
  readonly routes: readonly Route[];
  readonly services: Services;
  readonly guard: Guard;
  /** Where the files of the graph page are. */
  readonly pageFolder: string;
  readonly log: Logger;
  /** Aborts when the server closes, and with it the answers that take long. */
  readonly closing: AbortSignal;
}

export function createRouter(options: RouterOptions): Express {
  const { guard, log } = options;
  const app = express();
  app.disable('x-powered-by');
  const check = ({ headers, socket }: Request, access?: Route['access']) => {
    const wrong = guard.check(headers, socket.localPort ?? 0, 'request', access);
    if (wrong !== null) throw wrong;
  };
  app.use((request, _response, next) => {
    check(request, 'anybody');
    next();
  });
  for (const route of options.routes) {
    const path = route.path.replace(/\{(?:id|name)\}/, ':id');
    app[route.method](path, (request, response) => {
      check(request, route.access);
      return answer(route, options, request, response);
    });
  }
  for (const path of pagePaths) {
    app.get(path, (_request, response) => sendPageFile(response, options.pageFolder, path));
  }
  app.use((request) => {
    check(request);
    throw new VbatchError('notFound', `The vbatch API has no ${request.method} ${request.path}.`);
  });
  // Express recognises an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const { status, body } = failureAnswer(error, `${request.method} ${request.path}`, log);
    if (response.headersSent) response.destroy();
    else sendJson(response, status, body);
  });
  return app;
}

async function answer(
  route: Route,
  options: RouterOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const start = request.url.indexOf('?');
  const parameters = new URLSearchParams(start < 0 ? '' : request.url.slice(start + 1));
  const query = parseQuery(route.query, parameters);
  if (route.kind === 'socket') {
    throw new VbatchError('invalid', `${route.path} is a WebSocket; ask for an upgrade of the connection.`);
  }
  const takesBody = route.kind === 'json' && route.body !== noBody;
  const body = takesBody ? validate(route.body, await readJson(request), 'the request body') : undefined;
  const call: Call = {
    id: typeof request.params.id === 'string' ? request.params.id : '',
    query,
    body,
    gone: () => goneSignal(response, options.closing),
    describe: (error) => failureAnswer(error, `${request.method} ${request.path}`, options.log).body,
    afterwards: (action) => response.once('close', action),
  };
  if (route.kind === 'json') sendJson(response, 200, await route.handle(options.services, call));
  else await sendBytes(response, await route.handle(options.services, call), options.log);
}

function goneSignal(response: ServerResponse, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const abort = () => gone.abort();
  if (response.destroyed || closing.aborted) abort();
  closing.addEventListener('abort', abort);
  response.once('close', () => {
    closing.removeEventListener('abort', abort);
    abort();
  });
  return gone.signal;
}

/** Sends `value` as the whole answer, unless the client has gone. */
function sendJson(response: ServerResponse, status: number, value: unknown): void {
  if (response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(bytes);
}

async function sendPageFile(response: ServerResponse, folder: string, path: string): Promise<void> {
  const { headers, bytes } = await readPageFile(folder, path);
  response.writeHead(200, headers).end(bytes);
}

/** Sends a stream as fast as the client reads it. A stream that fails half way ends the connection. */
async function sendBytes(response: ServerResponse, answer: ByteAnswer, log: Logger): Promise<void> {
  const common = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
  response.writeHead(200, { ...answer.headers, ...common });
  response.flushHeaders();
  try {
    await pipeline(answer.source, response);
  } catch (error) {
    const isExpected =
      error instanceof VbatchError || (error as Error & { code?: string }).code === prematureClose;
    if (!isExpected) log.error({ err: error }, 'a log broke off');
    response.destroy();
  }
}

/** What Node says when the client has gone. */
const prematureClose = 'ERR_STREAM_PREMATURE_CLOSE';
