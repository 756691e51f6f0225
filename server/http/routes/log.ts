import type { EngineService, LogRequest } from '../../engine/service.ts';
import { VbatchError } from '../../protocol/errors.ts';
import { logQuerySchema } from '../../protocol/queries.ts';
import { bytesOf, framesMediaType, framesOf } from '../frames.ts';
import { byteRoute } from '../route.ts';

export const logRoute = byteRoute({
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
  async handle({ engine }, { id, query: { stream, attempt, offset, follow }, gone, describe }) {
    if (stream === 'both' && offset > 0) {
      throw new VbatchError('invalid', 'In the query, offset needs stream=stdout or stream=stderr.');
    }
    const request: LogRequest = { stream, follow, offset };
    if (attempt !== undefined) request.attempt = attempt;
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
