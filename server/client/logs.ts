/** Reads the frames in which both streams of a log arrive (http/frames.ts writes them). */

import { type ErrorBody, isErrorCode, VbatchError } from '../protocol/errors.ts';
import type { LogSearchMessage } from '../protocol/logQueries.ts';
import type { LogChunk } from '../protocol/logs.ts';

/** Kind and length. */
const headLength = 5;

/** Takes frames apart as their bytes arrive, wherever the network has cut them. */
export class FrameDecoder {
  /** What has arrived of the head of the next frame. */
  private head = Buffer.alloc(0);
  /** Kind of the frame under way, and how many of its bytes are still to come. */
  private kind = 0;
  private left = 0;
  /** What has arrived of an error frame. */
  private readonly failure: Buffer[] = [];

  /**
   * The pieces of log in `bytes`; one may be part of a frame. Throws what an error frame says, and
   * `internal` where these are no frames.
   */
  *push(bytes: Buffer): Generator<LogChunk> {
    let at = 0;
    while (at < bytes.length) {
      if (this.left === 0) {
        const wanted = headLength - this.head.length;
        this.head = Buffer.concat([this.head, bytes.subarray(at, at + wanted)]);
        at += wanted;
        if (this.head.length === headLength) this.begin();
      } else {
        const data = bytes.subarray(at, at + this.left);
        at += data.length;
        this.left -= data.length;
        if (this.kind === 0) this.fail(data);
        else yield { stream: this.kind === 1 ? 'stdout' : 'stderr', data };
      }
    }
  }

  /** To be called when no more bytes come: throws `noServer` where that is within a frame. */
  end(): void {
    if (this.head.length === 0 && this.left === 0) return;
    throw new VbatchError('noServer', 'The server ended the log within a frame; read it again.');
  }

  private begin(): void {
    this.kind = this.head.readUInt8(0);
    this.left = this.head.readUInt32BE(1);
    this.head = Buffer.alloc(0);
    if (this.kind > 2) throw new VbatchError('internal', `The server sent a log frame of kind ${this.kind}.`);
  }

  private fail(data: Buffer): void {
    this.failure.push(data);
    if (this.left > 0) return;
    throw failureOf(JSON.parse(Buffer.concat(this.failure).toString()) as ErrorBody);
  }
}

/** The messages of a search, wherever the network has cut them. Throws where the log cannot be read on. */
export async function* searchMessages(arriving: AsyncIterable<Buffer>): AsyncGenerator<LogSearchMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of arriving) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = JSON.parse(line) as LogSearchMessage;
      if (message.type === 'failed') throw failureOf(message);
      yield message;
      if (message.type === 'end') return;
    }
  }
  throw new VbatchError('noServer', 'The server ended the search before its end; search again.');
}

function failureOf({ error }: { error: { code: string; message: string } }): VbatchError {
  return new VbatchError(isErrorCode(error.code) ? error.code : 'internal', error.message);
}
