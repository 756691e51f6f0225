/** What the server has to work with, and the server itself. */
import {
  hostListSchema,
  poolListSchema,
  poolsQuerySchema,
  stopResponseSchema,
} from '../../protocol/queries.ts';
import { serverViewSchema } from '../../protocol/tasks.ts';
import { jsonRoute, noBody, noQuery } from '../route.ts';

export const poolsRoute = jsonRoute({
  method: 'get',
  path: '/v1/pools',
  name: 'listPools',
  summary: 'The pools, with what runs and waits in each.',
  query: poolsQuerySchema,
  body: noBody,
  answer: poolListSchema,
  errors: ['configuration'],
  handle: async ({ engine }, { query }) => ({ pools: await engine.pools(query.workspace ?? null) }),
});

export const hostsRoute = jsonRoute({
  method: 'get',
  path: '/v1/hosts',
  name: 'listHosts',
  summary: 'The hosts, with their state and what of them is in use.',
  access: 'page',
  query: noQuery,
  body: noBody,
  answer: hostListSchema,
  errors: [],
  handle: async ({ engine }) => ({ hosts: await engine.hosts() }),
});

export const serverRoute = jsonRoute({
  method: 'get',
  path: '/v1/server',
  name: 'getServer',
  summary: 'The server: version, process, state folder.',
  access: 'page',
  query: noQuery,
  body: noBody,
  answer: serverViewSchema,
  errors: [],
  handle: async ({ engine }) => engine.server(),
});

export const stopRoute = jsonRoute({
  method: 'post',
  path: '/v1/server/stop',
  name: 'stopServer',
  summary: 'Ends the server after this answer. Running commands go on; the next server adopts them (R31).',
  query: noQuery,
  body: noBody,
  answer: stopResponseSchema,
  errors: [],
  async handle({ engine, onStop }, { afterwards }) {
    afterwards(onStop);
    return { pid: engine.server().pid };
  },
});
