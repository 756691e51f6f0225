/**
 * Streams of bytes that are handed to processes on a host piece by piece: the next piece goes when the
 * one before has been taken. Whoever takes them knows how far it has come and says so, which makes
 * the hand-over exact however often the agent, the connection or the server is lost in between.
 */
import { VbatchError } from '../protocol/errors.ts';
import type { StreamKey } from './agent/events.ts';

interface Receiver {
  /** How many bytes it has taken, as far as it has said; null before it has said anything. */
  taken: number | null;
  /** Whether it takes no more. */
  deaf: boolean;
  /** Resolves at its next sign, or when it is worth sending again. */
  sign: Promise<void>;
  signed: () => void;
  /** Resolves when all that has been asked for so far is done: two senders would answer each other's signs. */
  turn: Promise<unknown>;
}

/** Sends the bytes from offset `from` on. What comes of it is told by `took` and `deaf`. */
export type SendPiece = (from: number, piece: Buffer) => Promise<void>;

export class HandOver {
  private readonly receivers = new Map<StreamKey, Receiver>();

  /** The receiver has come to this offset. */
  took(of: StreamKey, offset: number): void {
    this.signal(of, (receiver) => {
      receiver.taken = Math.max(offset, receiver.taken ?? 0);
    });
  }

  /** The receiver takes no more. */
  deaf(of: StreamKey): void {
    this.signal(of, (receiver) => {
      receiver.deaf = true;
    });
  }

  /** The agent is new: what was under way may be lost, and is sent again. */
  resume(): void {
    for (const of of this.receivers.keys()) this.signal(of, () => {});
  }

  /** Lets go of all receivers whose names begin so. */
  release(prefix: string): void {
    for (const of of this.receivers.keys()) {
      if (!of.startsWith(prefix)) continue;
      this.deaf(of);
      this.receivers.delete(of);
    }
  }

  /**
   * Hands over `bytes`, which begin at offset `at` of the stream, in pieces of at most `size`. What has
   * been taken already is left out. Resolves with false where nobody takes all of them any more.
   * @throws VbatchError `refused` where there is a gap before `at`.
   */
  give(of: StreamKey, at: number, bytes: Buffer, size: number, send: SendPiece): Promise<boolean> {
    return this.inTurn(of, async (receiver) => {
      while (!receiver.deaf && (receiver.taken ?? 0) < at + bytes.length) {
        const { sign, taken } = receiver;
        if (taken !== null && taken < at) throw gap(at, taken);
        const begin = taken === null ? 0 : taken - at;
        await send(at + begin, bytes.subarray(begin, begin + size));
        await sign;
      }
      return (receiver.taken ?? 0) >= at + bytes.length;
    });
  }

  /** Resolves when the receiver takes no more, which `send` asks it to. */
  untilDeaf(of: StreamKey, send: () => void): Promise<void> {
    return this.inTurn(of, async (receiver) => {
      while (!receiver.deaf) {
        const { sign } = receiver;
        send();
        await sign;
      }
    });
  }

  private inTurn<T>(of: StreamKey, act: (receiver: Receiver) => Promise<T>): Promise<T> {
    const receiver = this.receiver(of);
    const done = receiver.turn.then(() => act(receiver));
    receiver.turn = done.catch(() => {});
    return done;
  }

  private receiver(of: StreamKey): Receiver {
    let receiver = this.receivers.get(of);
    if (!receiver) {
      receiver = { taken: null, deaf: false, turn: Promise.resolve(), ...newSign() };
      this.receivers.set(of, receiver);
    }
    return receiver;
  }

  private signal(of: StreamKey, change: (receiver: Receiver) => void): void {
    const receiver = this.receivers.get(of);
    // A receiver that nobody hands anything to may be anybody's invention.
    if (!receiver) return;
    change(receiver);
    const { signed } = receiver;
    Object.assign(receiver, newSign());
    signed();
  }
}

function gap(at: number, taken: number): VbatchError {
  return new VbatchError(
    'refused',
    `offset ${at} is beyond the ${taken} bytes that have arrived; go on from there`,
  );
}

function newSign(): Pick<Receiver, 'sign' | 'signed'> {
  let signed = () => {};
  const sign = new Promise<void>((resolve) => {
    signed = resolve;
  });
  return { sign, signed };
}
