/** Letting the graph page in. */
import { keyRequestSchema, keyResponseSchema, ticketResponseSchema } from '../../protocol/queries.ts';
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
