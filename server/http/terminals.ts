/** The WebSockets of terminals: those that tasks run in, and shells beside tasks (R36). */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { EngineService } from '../engine/service.ts';
import type { Seat, TerminalEnd, Viewer } from '../hosts/host.ts';
import type { TerminalSize } from '../model/task.ts';
import { argumentSchema } from '../protocol/tasks.ts';
import {
  shellQuerySchema,
  type TerminalMessage,
  terminalQuerySchema,
  terminalRequestSchema,
} from '../protocol/terminals.ts';
import type { Timers } from '../timers.ts';
import { failureAnswer } from './failures.ts';
import { stallMs } from './hub.ts';
import { parseQuery } from './query.ts';
import { shellRoute, terminalRoute } from './routes/index.ts';
import type { Connection, Endpoint } from './sockets.ts';
import { validate } from './validate.ts';

export interface TerminalOptions {
  readonly engine: EngineService;
  readonly timers: Timers;
  readonly log: Logger;
}

/** A place at a terminal, or how there came to be none. */
type Place = { attempt: number | null; seat: Seat } | TerminalEnd;

/** Finds a viewer a place. */
type FindPlace = (viewer: Viewer, signal: AbortSignal) => Promise<Place>;

const lost = 'it was lost with the connection or the server that held it';

/** `GET /v1/tasks/{id}/terminal` and `GET /v1/tasks/{id}/shell`. */
export function terminalEndpoints(options: TerminalOptions): Endpoint[] {
  const { engine } = options;
  return [
    {
      route: terminalRoute,
      async accept(name, parameters) {
        const size = parseQuery(terminalQuerySchema, parameters);
        const { id } = await engine.find(name);
        return serving(options, size, async (viewer, signal) => {
          const attended = await engine.attend(id, viewer, signal);
          if (typeof attended === 'object') return attended;
          return { exitCode: null, lost: attended === 'gone' ? lost : null };
        });
      },
    },
    {
      route: shellRoute,
      async accept(name, parameters) {
        const { command: text, ...terminal } = parseQuery(shellQuerySchema, parameters);
        const command = text === undefined ? null : readCommand(text);
        const { id } = await engine.find(name);
        return serving(options, terminal, async (viewer) => ({
          attempt: null,
          seat: await engine.openBeside(id, { command, terminal }, viewer),
        }));
      },
    },
  ];
}

function readCommand(text: string): string[] {
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch {
    // What is no JSON is no list of words either.
  }
  return validate(z.array(argumentSchema).min(1), words, 'the command of the query');
}

function serving({ timers, log }: TerminalOptions, size: TerminalSize, find: FindPlace) {
  return ({ client, beat, end }: Connection): (() => void) => {
    const gone = new AbortController();
    let seat: Seat | null = null;
    let wanted = size;
    let taking = 0;
    const tell = (message: TerminalMessage) => client.send(JSON.stringify(message), () => {});
    const finish = (message: TerminalMessage) => end(1000, '', JSON.stringify(message));
    const viewer: Viewer = {
      show: (bytes) => opened.then(() => send(bytes)),
      over: (how) => void opened.then(() => finish({ type: 'ended', ...how })),
    };
    // Whatever is shown at once is shown after the message that it is open.
    const opening = Promise.resolve().then(() => find(viewer, gone.signal));
    const opened = opening.then(
      (place) => {
        if (!('seat' in place)) return finish({ type: 'ended', ...place });
        if (gone.signal.aborted) return place.seat.leave();
        seat = place.seat;
        seat.resize(wanted);
        tell({ type: 'open', attempt: place.attempt });
      },
      (error: unknown) => {
        if (gone.signal.aborted) return;
        finish({ type: 'failed', ...failureAnswer(error, 'a request for a terminal', log).body });
      },
    );

    const send = (bytes: Buffer) =>
      new Promise<void>((resolve) => {
        const cancel = timers.after(stallMs, () => client.terminate());
        client.send(bytes, (error) => {
          if (!error) beat();
          cancel();
          resolve();
        });
      });

    const type = async (bytes: Buffer) => {
      taking += 1;
      client.pause();
      await seat?.input(bytes);
      taking -= 1;
      if (taking === 0) client.resume();
    };

    client.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return void type(data);
      const request = readRequest(data);
      if (request === null) return client.close(1008, 'this is no message for a terminal');
      wanted = { rows: request.rows, columns: request.columns };
      seat?.resize(wanted);
    });

    return () => {
      gone.abort();
      seat?.leave();
    };
  };
}

function readRequest(data: Buffer) {
  try {
    return terminalRequestSchema.parse(JSON.parse(data.toString()));
  } catch {
    return null;
  }
}
