/** Letting the graph page in. */
import {
  keyRequestSchema,
  keyResponseSchema,
  passRequestSchema,
  passResponseSchema,
  returnRequestSchema,
  returnResponseSchema,
  ticketResponseSchema,
} from '../../protocol/queries.ts';
import { jsonRoute, noBody, noQuery } from '../route.ts';

export const ticketRoute = jsonRoute({
  method: 'post',
  path: '/v1/page/ticket',
  name: 'issueTicket',
  summary: 'A ticket that lets the graph page in once, within an hour: `http://127.0.0.1:PORT/#open/TICKET`.',
  query: noQuery,
  body: noBody,
  answer: ticketResponseSchema,
  errors: [],
  handle: async ({ pageKeys }) => ({ ticket: pageKeys.issueTicket() }),
});

export const keyRoute = jsonRoute({
  method: 'post',
  path: '/v1/page/key',
  name: 'redeemTicket',
  summary: 'Exchanges a ticket for a key: a token for what the graph page asks. Needs no token.',
  access: 'anybody',
  query: noQuery,
  body: keyRequestSchema,
  answer: keyResponseSchema,
  errors: [],
  handle: async ({ pageKeys }, { body: { ticket } }) => ({ key: pageKeys.redeem(ticket) }),
});

export const passRoute = jsonRoute({
  method: 'post',
  path: '/v1/page/pass',
  name: 'readPass',
  summary: 'What the page with this key comes back in with when the server was started anew. Needs no token.',
  access: 'anybody',
  query: noQuery,
  body: passRequestSchema,
  answer: passResponseSchema,
  errors: [],
  handle: async ({ pageKeys }, { body: { key } }) => pageKeys.passOf(key),
});

export const returnRoute = jsonRoute({
  method: 'post',
  path: '/v1/page/return',
  name: 'comeBack',
  summary:
    'Lets a page back in when the server was started anew. Needs no token, and proves who the server is.',
  access: 'anybody',
  query: noQuery,
  body: returnRequestSchema,
  answer: returnResponseSchema,
  errors: [],
  handle: async ({ pageKeys }, { body: { page, challenge } }) => pageKeys.comeBack(page, challenge),
});
