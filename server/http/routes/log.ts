/** What tasks have written: the bytes, where they are, and a search through them. */
import type { EngineService, LogRequest } from '../../engine/service.ts';
import { VbatchError } from '../../protocol/errors.ts';
import {
  logPlaceQuerySchema,
  logPlaceSchema,
  logQuerySchema,
  logSearchQuerySchema,
} from '../../protocol/logQueries.ts';
import { bytesOf, framesMediaType, framesOf } from '../frames.ts';
import { linesOf, ndjsonMediaType } from '../ndjson.ts';
import { byteRoute, jsonRoute, noBody } from '../route.ts';

const readRoute = byteRoute({
  path: '/v1/tasks/{id}/log',
  name: 'readLog',
  summary: "What a task's command has written, byte for byte (R36).",
  access: 'page',
  query: logQuerySchema,
  media: {
    'application/octet-stream':
      'The bytes of one stream. `X-Log-Size` is its whole size once it is finished.',
    [framesMediaType]:
      'Both streams as frames: 1 byte (1 = stdout, 2 = stderr, 0 = an Error as JSON), 4 bytes length, the bytes.',
  },
  errors: ['notFound', 'refused', 'unreachable'],
  async handle({ engine }, { id, query, gone, describe }) {
    const { stream, attempt, offset, stdout = 0, stderr = 0, length, follow } = query;
    const request: LogRequest = { stream, follow, offset };
    if (attempt !== undefined) request.attempt = attempt;
    if (stdout + stderr > 0) request.before = { stdout, stderr };
    if (length !== undefined) request.length = length;
    const size = stream === 'both' || follow ? null : await finishedSize(engine, id, stream, attempt);
    const source = await engine.log(id, request);
    const headers = { 'Content-Type': stream === 'both' ? framesMediaType : 'application/octet-stream' };
    const signal = gone();
    const stop = () => {
      source.destroy(new VbatchError('noServer', `The server stopped while it sent the log of ${id}.`));
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    source.once('close', () => signal.removeEventListener('abort', stop));
    return {
      headers: size === null ? headers : { ...headers, 'X-Log-Size': size },
      source: stream === 'both' ? framesOf(source, describe) : bytesOf(source),
    };
  },
});

/** How large a stream is for good; null while more may come, or before the first attempt. */
async function finishedSize(
  engine: EngineService,
  id: string,
  stream: 'stdout' | 'stderr',
  number: number | undefined,
): Promise<number | null> {
  const { attempts } = await engine.find(id);
  const attempt = number === undefined ? attempts.at(-1) : attempts.find((each) => each.number === number);
  if (attempt === undefined || (attempt.state !== 'ended' && attempt.state !== 'lost')) return null;
  const size = await engine.logSize(id, attempt.number);
  return size.whole ? size[stream] : null;
}

const placeRoute = jsonRoute({
  method: 'get',
  path: '/v1/tasks/{id}/log/place',
  name: 'readLogPlace',
  summary: 'How much a command has written, and where in its streams a byte of the whole is (R36).',
  query: logPlaceQuerySchema,
  body: noBody,
  answer: logPlaceSchema,
  errors: ['notFound', 'unreachable'],
  handle: ({ engine }, { id, query: { attempt, position } }) => engine.logPlace(id, attempt, position),
});

const searchRoute = byteRoute({
  path: '/v1/tasks/{id}/log/search',
  name: 'searchLog',
  summary: 'The lines of a log that hold a text, as they are found.',
  query: logSearchQuerySchema,
  media: { [ndjsonMediaType]: 'A JSON text on each line; docs/api/README.md describes them.' },
  errors: ['notFound', 'unreachable'],
  async handle({ engine }, { id, query: { attempt, ...search }, describe }) {
    const source = await engine.searchLog(id, attempt, search);
    return { headers: { 'Content-Type': ndjsonMediaType }, source: linesOf(source, describe) };
  },
});

/** The first is asked for most. */
export const logRoutes = [readRoute, placeRoute, searchRoute];
