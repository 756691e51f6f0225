/**
 * The WebSocket of a task's output. The same can be had by `GET …/log?follow=true`, but a browser opens only six
 * connections to a server for all pages together, and each log that is followed would take one.
 */
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { EngineService, LogRequest } from '../engine/service.ts';
import { type OutputMessage, outputQuerySchema } from '../protocol/logQueries.ts';
import { failureAnswer } from './failures.ts';
import { framesOf } from './frames.ts';
import { parseQuery } from './query.ts';
import { outputRoute } from './routes/index.ts';
import type { Connection, Endpoint } from './sockets.ts';

export function outputEndpoint(engine: EngineService, log: Logger): Endpoint {
  const describe = (error: unknown) => failureAnswer(error, `GET ${outputRoute.path}`, log).body;
  return {
    route: outputRoute,
    async accept(name, parameters) {
      const { attempt, tail } = parseQuery(outputQuerySchema, parameters);
      const { id } = await engine.find(name);
      const place = await engine.logPlace(id, attempt, -tail);
      const request: LogRequest = { stream: 'both', follow: true, offset: 0, before: place.before };
      if (place.attempt > 0) request.attempt = place.attempt;
      const source = framesOf(await engine.log(id, request), describe);
      const open: OutputMessage = { type: 'open', attempt: place.attempt, before: place.before };
      return (connection) => serve(connection, source, open, describe);
    },
  };
}

/** Sends no faster than the client reads. */
function serve(
  { client, beat }: Connection,
  source: Readable,
  open: OutputMessage,
  describe: (error: unknown) => { error: { code: string; message: string } },
): () => void {
  const say = (message: OutputMessage) => client.send(JSON.stringify(message), () => {});
  client.on('message', () => client.close(1008, 'clients have nothing to say here'));
  say(open);
  const send = async () => {
    for await (const bytes of source) {
      await new Promise<void>((resolve) => client.send(bytes as Buffer, () => resolve()));
      beat();
    }
    say({ type: 'end' });
    client.close();
  };
  send().catch((error: unknown) => {
    if (source.destroyed && client.readyState !== client.OPEN) return;
    say({ type: 'failed', ...describe(error) });
    client.close();
  });
  return () => source.destroy();
}
