/** Changing tasks. */
import type { EngineService } from '../../engine/service.ts';
import { pruneRequestSchema, pruneResponseSchema } from '../../protocol/queries.ts';
import {
  type ActionResult,
  actionResultSchema,
  stdinRequestSchema,
  stdinResponseSchema,
} from '../../protocol/tasks.ts';
import { jsonRoute, noBody, noQuery } from '../route.ts';

function action(
  word: string,
  summary: string,
  act: (engine: EngineService, id: string) => Promise<ActionResult>,
) {
  return jsonRoute({
    method: 'post',
    path: `/v1/tasks/{id}/${word}`,
    name: `${word}Task`,
    summary,
    access: 'page',
    query: noQuery,
    body: noBody,
    answer: actionResultSchema,
    errors: ['notFound', 'refused', 'stateFailed', 'diskFull'],
    handle: ({ engine }, { id }) => act(engine, id),
  });
}

export const actionRoutes = [
  action('cancel', 'Cancels a task and everything below it (R26).', (engine, id) => engine.cancel(id)),
  action('hold', 'Keeps a task that has not started from starting.', (engine, id) => engine.hold(id)),
  action('release', 'Lets a held task go on.', (engine, id) => engine.release(id)),
  action('retry', 'Runs the failed part of a done task again (R29).', (engine, id) => engine.retry(id)),
];

export const stdinRoute = jsonRoute({
  method: 'post',
  path: '/v1/tasks/{id}/stdin',
  name: 'typeStdin',
  summary: "Types into a task's stdin, once it runs; answers when its command can read it (R36).",
  query: noQuery,
  body: stdinRequestSchema,
  answer: stdinResponseSchema,
  errors: ['notFound', 'refused', 'tooLarge'],
  handle: ({ engine }, { id, body: { data, ...rest }, gone }) =>
    engine.type(id, { ...rest, data: Buffer.from(data, 'base64') }, gone()),
});

export const pruneRoute = jsonRoute({
  method: 'post',
  path: '/v1/prune',
  name: 'prune',
  summary: 'Removes finished runs with everything below them and their logs.',
  query: noQuery,
  body: pruneRequestSchema,
  answer: pruneResponseSchema,
  errors: ['tooLarge', 'stateFailed', 'diskFull'],
  handle: ({ engine }, { body: { before, keep } }) =>
    engine.prune({ before: before === undefined ? Date.now() : Date.parse(before), keep }),
});
