/** The server's one door for clients on this machine: requests and the event stream, on one port. */
import { setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Logger } from 'pino';
import type { HostService } from '../engine/hostActions.ts';
import type { EngineService } from '../engine/service.ts';
import { realTimers, type Timers } from '../timers.ts';
import type { DoorKeeper } from './doorFile.ts';
import { eventsEndpoint } from './events.ts';
import { createGuard } from './guard.ts';
import { Hub } from './hub.ts';
import { outputEndpoint } from './output.ts';
import { PageKeys } from './pageKeys.ts';
import { createRouter } from './router.ts';
import { routes } from './routes/index.ts';
import { createSockets } from './sockets.ts';
import { terminalEndpoints } from './terminals.ts';

/** Longer than a person thinks between two commands in a script, so that connections are used again. */
const keepAliveMs = 60_000;
/** How long requests under way may take to end when the server closes. */
const closeMs = 1_000;

export interface HttpServerOptions {
  readonly engine: EngineService;
  readonly hosts: HostService;
  /** What every client must know; it is in the discovery file. */
  readonly token: string;
  /** This machine's login environment (R34). */
  readonly loginEnvironment: () => Promise<ReadonlyMap<string, string>>;
  /** Called when a client has asked the server to stop and has its answer. */
  readonly onStop: () => void;
  /** Where the files of the graph page are. */
  readonly pageFolder: string;
  /** What is kept over servers for pages that stay open; without it they are opened anew. */
  readonly door?: DoorKeeper;
  readonly log: Logger;
  /** Beginnings of origins that may connect besides the server's own. */
  readonly trustedOrigins?: readonly string[];
  readonly timers?: Timers;
}

export interface HttpServer {
  /** Opens the port of the last server on 127.0.0.1, or where that is taken a free one; resolves to its number. */
  listen(): Promise<number>;
  /** Takes no more requests, ends those that wait for something, and resolves when all are ended. */
  close(): Promise<void>;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { engine, hosts, loginEnvironment, onStop, log, door, timers = realTimers } = options;
  const pageKeys = new PageKeys({
    now: timers.now,
    date: Date.now,
    passes: door?.last?.passes ?? [],
    keep(passes) {
      try {
        door?.keep({ port: pageKeys.port, passes: [...passes] });
      } catch (error) {
        log.warn(`pages in browsers will have to be opened anew: ${(error as Error).message}`);
      }
    },
  });
  const guard = createGuard(options.token, options.trustedOrigins ?? ['vscode-webview://'], pageKeys);
  const closing = new AbortController();
  // One listener for each request that waits.
  setMaxListeners(0, closing.signal);
  const services = { engine, hosts, loginEnvironment, onStop, pageKeys };
  const { pageFolder } = options;
  const router = createRouter({ routes, services, guard, pageFolder, log, closing: closing.signal });
  const hub = new Hub(engine, timers, log);
  const endpoints = [
    eventsEndpoint(engine, hub),
    outputEndpoint(engine, log),
    ...terminalEndpoints({ engine, timers, log }),
  ];
  const sockets = createSockets({ endpoints, guard, timers, log });
  const server = createServer({ keepAliveTimeout: keepAliveMs, noDelay: true }, router);
  server.on('upgrade', sockets.upgrade);
  // A connection whose last answer ends while the server closes must not wait for another request.
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (closing.signal.aborted) server.closeIdleConnections();
    });
  });

  return {
    async listen() {
      const last = door?.last?.port ?? 0;
      const port = await listenOn(server, last).catch((error: NodeJS.ErrnoException) => {
        if (last === 0 || (error.code !== 'EADDRINUSE' && error.code !== 'EACCES')) throw error;
        return listenOn(server, 0);
      });
      pageKeys.port = port;
      return port;
    },
    close() {
      return new Promise((resolve) => {
        const cancel = timers.after(closeMs, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          resolve();
        });
        closing.abort();
        hub.close();
        sockets.close();
      });
    },
  };
}

/** Resolves to the port's number; 0 is any that is free. */
function listenOn(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('the server has no port');
      resolve(address.port);
    });
  });
}
