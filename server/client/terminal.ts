/** One connection to a terminal: that of a task, or one beside a task. */
import { WebSocket } from 'ws';
import type { TerminalSize } from '../model/task.ts';
import { isErrorCode, VbatchError } from '../protocol/errors.ts';
import type { ShellQuery, TerminalMessage, TerminalQuery, TerminalRequest } from '../protocol/terminals.ts';
import { queryText, taskPath } from './client.ts';
import { errorOf } from './events.ts';
import type { Address } from './transport.ts';

/** A server that does not finish the handshake within this time is taken for gone. */
const handshakeMs = 10_000;
/** How long leaving may take. */
const farewellMs = 500;
/** What is sent and not yet on its way before typing has to wait. Bytes. */
const maxUnsent = 64 * 1024;
/** The longest address; a server takes headers of 16 KiB in all. */
const maxPath = 12 * 1024;

/** How a connection ended. */
export type TerminalEnding =
  /** What ran in the terminal has ended. The exit code is known of what ran beside a task. */
  | { kind: 'ended'; exitCode: number | null }
  /** The terminal is gone, for this reason. */
  | { kind: 'lost'; reason: string }
  /** The server is gone. */
  | { kind: 'disconnected'; reason: string }
  | { kind: 'failed'; error: Error };

export interface TerminalListener {
  /** What follows is what the terminal shows, and what is typed reaches it. */
  opened(): void;
  /** Shows bytes; more come when it has resolved. */
  shown(bytes: Buffer): Promise<void>;
  /** The last call. */
  ended(ending: TerminalEnding): void;
}

export interface TerminalConnection {
  /** Types. Resolves when there is room for more; what is typed after the end goes nowhere. */
  type(bytes: Buffer): Promise<void>;
  resize(size: TerminalSize): void;
  /** Leaves. The listener hears nothing more. Resolves when what was typed has arrived, or that takes too long. */
  close(): Promise<void>;
}

/** The path of the terminal that a task runs in. */
export function ownTerminal(id: string, query: TerminalQuery): string {
  return `${taskPath(id)}/terminal${queryText(query)}`;
}

/** The path of a new terminal beside a task. A command of null is the person's shell. */
export function terminalBeside(
  id: string,
  terminal: Omit<ShellQuery, 'command'>,
  command: readonly string[] | null,
): string {
  const query = command === null ? terminal : { ...terminal, command: JSON.stringify(command) };
  const path = `${taskPath(id)}/shell${queryText(query)}`;
  if (path.length <= maxPath) return path;
  throw new VbatchError('tooLarge', 'The command is too long; put it into a file, and run that.');
}

/** Connects. What comes of it, failures included, the listener hears later than this returns. */
export function connectTerminal(
  locate: () => Promise<Address>,
  path: string,
  listener: TerminalListener,
): TerminalConnection {
  let socket: WebSocket | null = null;
  let over = false;
  const end = (ending: TerminalEnding) => {
    if (over) return;
    over = true;
    socket?.terminate();
    listener.ended(ending);
  };

  const connect = ({ port, token }: Address) => {
    if (over) return;
    const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: handshakeMs,
      perMessageDeflate: false,
    });
    socket = client;
    let reason = 'the server has ended the connection';
    // Messages are dealt with one after another: an end comes after all that was shown before.
    let dealing = Promise.resolve();
    let waiting = 0;
    const deal = (action: () => void | Promise<void>) => {
      waiting += 1;
      client.pause();
      dealing = dealing.then(async () => {
        if (!over) await action();
        waiting -= 1;
        if (waiting === 0) client.resume();
      });
    };
    client.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return deal(() => listener.shown(data));
      const message = JSON.parse(data.toString()) as TerminalMessage;
      deal(() => (message.type === 'open' ? listener.opened() : end(endingOf(message))));
    });
    client.on('unexpected-response', (request, response) => {
      void errorOf(response)
        .then((error) => end(refusal(error)))
        .finally(() => request.destroy());
    });
    // A `close` follows.
    client.on('error', (error) => {
      reason = error.message;
    });
    client.on('close', () => deal(() => end({ kind: 'disconnected', reason })));
  };
  locate().then(connect, (error: Error) => end(refusal(error)));

  const send = (data: Buffer | string) =>
    new Promise<void>((resolve) => {
      if (socket?.readyState !== WebSocket.OPEN) return resolve();
      socket.send(data, () => resolve());
      if (socket.bufferedAmount < maxUnsent) resolve();
    });

  return {
    type: send,
    resize: (size) => void send(JSON.stringify({ type: 'resize', ...size } satisfies TerminalRequest)),
    close() {
      over = true;
      const left = socket;
      if (left === null || left.readyState === WebSocket.CLOSED) return Promise.resolve();
      // A connection that is cut off at once takes along what is still on its way.
      const timer = setTimeout(() => left.terminate(), farewellMs);
      left.resume();
      left.close();
      return new Promise((resolve) => {
        left.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

function endingOf(message: Exclude<TerminalMessage, { type: 'open' }>): TerminalEnding {
  if (message.type === 'failed') {
    const { code, message: text } = message.error;
    return { kind: 'failed', error: new VbatchError(isErrorCode(code) ? code : 'internal', text) };
  }
  const { exitCode, lost } = message;
  return lost === null ? { kind: 'ended', exitCode } : { kind: 'lost', reason: lost };
}

/** A server that is gone may come back, and a wrong token is that of the one before the present one. */
function refusal(error: Error): TerminalEnding {
  const isGone = error instanceof VbatchError && (error.code === 'noServer' || error.code === 'unauthorized');
  return isGone ? { kind: 'disconnected', reason: error.message } : { kind: 'failed', error };
}
