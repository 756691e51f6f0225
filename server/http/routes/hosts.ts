/** Setting hosts up: connecting with somebody at hand who answers, checking, and tidying. */
import type { HostEntry } from '../../config/schema.ts';
import { VbatchError } from '../../protocol/errors.ts';
import {
  addHostRequestSchema,
  answerRequestSchema,
  connectRequestSchema,
  connectResponseSchema,
  hostReportSchema,
  hostWrittenSchema,
  prunedSchema,
  pruneHostRequestSchema,
  removeHostRequestSchema,
} from '../../protocol/hosts.ts';
import { hostViewSchema } from '../../protocol/tasks.ts';
import { jsonRoute, noBody, noQuery } from '../route.ts';

const addHost = jsonRoute({
  method: 'post',
  path: '/v1/hosts',
  name: 'addHost',
  summary: "Writes a host into the user's configuration file. Whether it can be reached is another question.",
  query: noQuery,
  body: addHostRequestSchema,
  answer: hostWrittenSchema,
  errors: ['usage', 'refused', 'configuration'],
  // The configuration says what is wrong with it in the words of its own file.
  handle: ({ hosts }, { body: { name, host } }) => hosts.add(name, host as HostEntry),
});

const removeHost = jsonRoute({
  method: 'post',
  path: '/v1/hosts/{name}/remove',
  name: 'removeHost',
  summary: "Takes a host out of the user's configuration file.",
  query: noQuery,
  body: removeHostRequestSchema,
  answer: hostWrittenSchema,
  errors: ['refused', 'configuration'],
  handle: ({ hosts }, { id, body: { force } }) => hosts.remove(id, force),
});

const connectHost = jsonRoute({
  method: 'post',
  path: '/v1/hosts/{name}/connect',
  name: 'connectHost',
  summary:
    'Connects to a host at once. Answers when it is online, or with a question for a person. While this or ' +
    'answer is under way, or a question is open, somebody is taken to be at hand.',
  query: noQuery,
  body: connectRequestSchema,
  answer: connectResponseSchema,
  errors: ['notFound', 'refused', 'configuration', 'unreachable', 'noServer'],
  handle: ({ hosts }, { id, body: { workspace }, gone }) =>
    untilGone(gone(), (signal) => hosts.connect(id, workspace ?? null, signal)),
});

const answerHost = jsonRoute({
  method: 'post',
  path: '/v1/hosts/{name}/answer',
  name: 'answerHost',
  summary: 'Answers the question of a host that is being connected to, and goes on as connect does.',
  query: noQuery,
  body: answerRequestSchema,
  answer: connectResponseSchema,
  errors: ['notFound', 'refused', 'configuration', 'unreachable', 'noServer'],
  handle: ({ hosts }, { id, body, gone }) => untilGone(gone(), (signal) => hosts.answer(id, body, signal)),
});

const disconnectHost = jsonRoute({
  method: 'post',
  path: '/v1/hosts/{name}/disconnect',
  name: 'disconnectHost',
  summary: 'Lets go of a host until it is connected again. What runs there goes on (R30).',
  query: noQuery,
  body: noBody,
  answer: hostViewSchema,
  errors: ['notFound', 'refused', 'configuration'],
  handle: ({ hosts }, { id }) => hosts.disconnect(id),
});

const checkHost = jsonRoute({
  method: 'post',
  path: '/v1/hosts/{name}/check',
  name: 'checkHost',
  summary: 'Looks at everything that matters on the way to a host and on it, which takes some seconds.',
  query: noQuery,
  body: connectRequestSchema,
  answer: hostReportSchema,
  errors: ['notFound', 'configuration', 'noServer'],
  handle: ({ hosts }, { id, body: { workspace }, gone }) =>
    untilGone(gone(), (signal) => hosts.check(id, workspace ?? null, signal)),
});

const pruneHost = jsonRoute({
  method: 'post',
  path: '/v1/hosts/{name}/prune',
  name: 'pruneHost',
  summary: 'Removes what is on a host and nothing needs any more, and folders of other servers if asked to.',
  query: noQuery,
  body: pruneHostRequestSchema,
  answer: prunedSchema,
  errors: ['notFound', 'configuration', 'unreachable'],
  handle: ({ hosts }, { id, body }) => hosts.prune(id, body.folders),
});

/** Either nobody is left to read the answer, or the server itself is closing: neither is a bug. */
async function untilGone<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await work(signal);
  } catch (error) {
    if (signal.aborted) throw new VbatchError('noServer', 'The server stopped before it had an answer.');
    throw error;
  }
}

export const hostRoutes = [
  addHost,
  removeHost,
  connectHost,
  answerHost,
  disconnectHost,
  checkHost,
  pruneHost,
];
