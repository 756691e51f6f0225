/** All routes. What is asked for most comes first: express tries them in this order. */
import { eventsQuerySchema } from '../../protocol/queries.ts';
import type { Route, SocketRoute } from '../route.ts';
import { actionRoutes, pruneRoute, stdinRoute } from './actions.ts';
import { logRoute } from './log.ts';
import { hostsRoute, poolsRoute, serverRoute, stopRoute } from './server.ts';
import { submitRoute } from './submit.ts';
import { explainRoute, getRoute, listRoute, treeRoute, waitRoute } from './tasks.ts';

export const eventsRoute: SocketRoute = {
  kind: 'socket',
  method: 'get',
  path: '/v1/events',
  name: 'events',
  summary: 'WebSocket of everything that changes; docs/api/README.md describes its messages.',
  query: eventsQuerySchema,
  errors: ['notFound'],
};

export const routes: readonly Route[] = [
  submitRoute,
  getRoute,
  waitRoute,
  listRoute,
  treeRoute,
  explainRoute,
  logRoute,
  ...actionRoutes,
  stdinRoute,
  pruneRoute,
  poolsRoute,
  hostsRoute,
  serverRoute,
  stopRoute,
  eventsRoute,
];
