/** The workspaces of runs. */
import {
  checkoutAnswerSchema,
  checkoutRequestSchema,
  runDiffQuerySchema,
  runDiffSchema,
  runFilesQuerySchema,
  runFilesSchema,
} from '../../protocol/runs.ts';
import { jsonRoute, noBody, noQuery } from '../route.ts';

export const runRoutes = [
  jsonRoute({
    method: 'get',
    path: '/v1/runs/{id}/files',
    name: 'runFiles',
    summary: 'What a run has made of the files that it was submitted with.',
    query: runFilesQuerySchema,
    body: noBody,
    answer: runFilesSchema,
    errors: ['notFound', 'refused', 'stateFailed'],
    handle: ({ engine }, { id, query }) => engine.runFiles(id, query.all),
  }),
  jsonRoute({
    method: 'get',
    path: '/v1/runs/{id}/diff',
    name: 'runDiff',
    summary:
      'What another run, or the folder as it is now, has that differs from what a run was submitted with.',
    query: runDiffQuerySchema,
    body: noBody,
    answer: runDiffSchema,
    errors: ['notFound', 'refused', 'stateFailed', 'tooLarge'],
    handle: ({ engine }, { id, query }) => engine.runDiff(id, query.with ?? null, query.contents),
  }),
  jsonRoute({
    method: 'post',
    path: '/v1/runs/{id}/checkout',
    name: 'checkOutRun',
    summary: 'Writes the files of a run into a new folder of this machine.',
    query: noQuery,
    body: checkoutRequestSchema,
    answer: checkoutAnswerSchema,
    errors: ['notFound', 'refused', 'stateFailed', 'diskFull'],
    handle: ({ engine }, { id, body: { directory, first } }) => engine.checkOut(id, directory, first),
  }),
];
