/** What is typed into the stdin of attempts. */
import type { StreamKey } from './agent/events.ts';
import { escapeForPrintf } from './escape.ts';
import { HandOver } from './handOver.ts';
import type { AttemptKey } from './host.ts';

/**
 * Bytes typed at once. Escaped they are at most five times as many, and a line shorter than PIPE_BUF is
 * whole in the FIFO or not there at all, whatever becomes of the agent.
 */
const typedSize = 800;

export class Typing {
  readonly pieces = new HandOver();

  /** @param send gives a line to an attempt, as the table at the top of attempt.sh has it for `.in`. */
  constructor(private readonly send: (key: AttemptKey, line: string) => void) {}

  /** See `Host.input`. */
  async type(key: AttemptKey, offset: number, bytes: Buffer, end: boolean): Promise<boolean> {
    const of: StreamKey = `${key} stdin`;
    const taken = await this.pieces.give(of, offset, bytes, typedSize, async (from, piece) =>
      this.send(key, `${from} ${from + piece.length} =${escapeForPrintf(piece)}`),
    );
    if (!taken || !end) return taken;
    await this.pieces.untilDeaf(of, () => this.send(key, '. . .'));
    return false;
  }

  /** The attempt takes no more. */
  release(key: AttemptKey): void {
    this.pieces.release(`${key} `);
  }
}
