/** All routes. What is asked for most comes first: express tries them in this order. */
import { outputQuerySchema } from '../../protocol/logQueries.ts';
import { eventsQuerySchema } from '../../protocol/queries.ts';
import { shellQuerySchema, terminalQuerySchema } from '../../protocol/terminals.ts';
import type { Route, SocketRoute } from '../route.ts';
import { actionRoutes, pruneRoute, stdinRoute } from './actions.ts';
import { hostRoutes } from './hosts.ts';
import { logRoutes } from './log.ts';
import { keyRoute, passRoute, returnRoute, ticketRoute } from './page.ts';
import { runRoutes } from './runs.ts';
import { hostsRoute, poolsRoute, serverRoute, stopRoute } from './server.ts';
import { submitRoute } from './submit.ts';
import { explainRoute, getRoute, listRoute, treeRoute, waitRoute } from './tasks.ts';

export const eventsRoute: SocketRoute = {
  kind: 'socket',
  method: 'get',
  path: '/v1/events',
  name: 'events',
  summary: 'WebSocket of everything that changes; docs/api/README.md describes its messages.',
  access: 'page',
  query: eventsQuerySchema,
  errors: ['notFound'],
};

export const terminalRoute: SocketRoute = {
  kind: 'socket',
  method: 'get',
  path: '/v1/tasks/{id}/terminal',
  name: 'attendTerminal',
  summary: 'WebSocket of the terminal that a task runs in; docs/api/README.md describes its messages (R36).',
  query: terminalQuerySchema,
  errors: ['notFound'],
};

export const shellRoute: SocketRoute = {
  kind: 'socket',
  method: 'get',
  path: '/v1/tasks/{id}/shell',
  name: 'openShell',
  summary: 'WebSocket of a new terminal beside a running task, in its surroundings; ends with it.',
  query: shellQuerySchema,
  errors: ['notFound'],
};

export const outputRoute: SocketRoute = {
  kind: 'socket',
  method: 'get',
  path: '/v1/tasks/{id}/output',
  name: 'followOutput',
  summary: 'WebSocket of what a task writes, for browsers, which open few other connections at once.',
  access: 'page',
  query: outputQuerySchema,
  errors: ['notFound', 'unreachable'],
};

export const routes: readonly Route[] = [
  submitRoute,
  getRoute,
  waitRoute,
  listRoute,
  treeRoute,
  explainRoute,
  ...logRoutes,
  ...actionRoutes,
  stdinRoute,
  pruneRoute,
  ...runRoutes,
  poolsRoute,
  hostsRoute,
  ...hostRoutes,
  serverRoute,
  stopRoute,
  ticketRoute,
  keyRoute,
  passRoute,
  returnRoute,
  eventsRoute,
  outputRoute,
  terminalRoute,
  shellRoute,
];
