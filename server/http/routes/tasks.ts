/** Reading tasks. */
import type { TaskQuery } from '../../engine/service.ts';
import { VbatchError } from '../../protocol/errors.ts';
import { listQuerySchema, treeQuerySchema, treeSchema } from '../../protocol/queries.ts';
import { explanationSchema, taskDetailSchema, taskListSchema, taskViewSchema } from '../../protocol/tasks.ts';
import { jsonRoute, noBody, noQuery } from '../route.ts';

export const listRoute = jsonRoute({
  method: 'get',
  path: '/v1/tasks',
  name: 'listTasks',
  summary: 'Lists tasks, page by page: children in order of submission, all else newest first.',
  access: 'page',
  query: listQuerySchema,
  body: noBody,
  answer: taskListSchema,
  errors: ['notFound'],
  async handle({ engine }, { query }) {
    const { parent, top, below, status, pool, label, text, limit, after } = query;
    if (top && parent !== undefined) {
      throw new VbatchError(
        'invalid',
        'In the query, top and parent exclude each other: runs have no parent.',
      );
    }
    const wanted: TaskQuery = { limit };
    if (top) wanted.parent = null;
    else if (parent !== undefined) wanted.parent = parent;
    if (below !== undefined) wanted.below = below;
    if (status !== undefined) wanted.statuses = status;
    if (pool !== undefined) wanted.pool = pool;
    if (label !== undefined) wanted.labels = Object.fromEntries(label.map(keyAndValue));
    if (text !== undefined) wanted.text = text;
    if (after !== undefined) wanted.after = after;
    return engine.list(wanted);
  },
});

function keyAndValue(label: string): [string, string] {
  const at = label.indexOf('=');
  return [label.slice(0, at), label.slice(at + 1)];
}

export const getRoute = jsonRoute({
  method: 'get',
  path: '/v1/tasks/{id}',
  name: 'getTask',
  summary: 'One task with its attempts.',
  access: 'page',
  query: noQuery,
  body: noBody,
  answer: taskDetailSchema,
  errors: ['notFound'],
  handle: ({ engine }, { id }) => engine.find(id),
});

export const treeRoute = jsonRoute({
  method: 'get',
  path: '/v1/tasks/{id}/tree',
  name: 'getTree',
  summary: 'A task and everything below it.',
  access: 'page',
  query: treeQuerySchema,
  body: noBody,
  answer: treeSchema,
  errors: ['notFound'],
  handle: async ({ engine }, { id, query }) => ({ tasks: await engine.tree(id, query.limit) }),
});

export const explainRoute = jsonRoute({
  method: 'get',
  path: '/v1/tasks/{id}/explain',
  name: 'explainTask',
  summary: 'Why a task is where it is (R19).',
  access: 'page',
  query: noQuery,
  body: noBody,
  answer: explanationSchema,
  errors: ['notFound'],
  handle: ({ engine }, { id }) => engine.explain(id),
});

export const waitRoute = jsonRoute({
  method: 'get',
  path: '/v1/tasks/{id}/wait',
  name: 'waitForTask',
  summary: 'Answers when the task and all below it are done (R16). Repeat it if the connection breaks.',
  query: noQuery,
  body: noBody,
  answer: taskViewSchema,
  errors: ['notFound', 'noServer'],
  async handle({ engine }, { id, gone }) {
    const signal = gone();
    try {
      return await engine.whenDone(id, signal);
    } catch (error) {
      // Either nobody is left to read this answer, or the server itself is closing.
      if (signal.aborted) throw new VbatchError('noServer', `The server stopped while ${id} was waited for.`);
      throw error;
    }
  },
});
