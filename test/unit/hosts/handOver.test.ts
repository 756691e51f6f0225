import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandOver, type SendPiece } from '../../../server/hosts/handOver.ts';

const stream = '1.1 stdin';
const text = (letters: string) => Buffer.from(letters);

/** Notes what is sent, as `FROM TEXT`. */
function notebook(): { sent: string[]; send: SendPiece } {
  const sent: string[] = [];
  return { sent, send: async (from, piece) => void sent.push(`${from} ${piece.toString()}`) };
}

/** What becomes of something sent. */
const fates = ['fine', 'answered twice', 'arrives twice', 'lost', 'answer lost', 'sender replaced'] as const;
type Fate = (typeof fates)[number];

/** A process that takes pieces as a shell does: one that does not begin where it is, is only answered. */
class Taker {
  taken = Buffer.alloc(0);

  take(from: number, piece: Buffer): number {
    if (from === this.taken.length) this.taken = Buffer.concat([this.taken, piece]);
    return this.taken.length;
  }
}

/** Hands all of it over, as a client does whose server is replaced now and then. */
async function handOverAll(pieces: readonly Buffer[], size: number, fateOf: () => Fate): Promise<Taker> {
  const taker = new Taker();
  let offset = 0;
  let sender = new HandOver();
  for (const piece of pieces) {
    for (let arrived = false; !arrived; ) {
      let replace = () => {};
      const replaced = new Promise<false>((resolve) => (replace = () => resolve(false)));
      const mine = sender;
      const send: SendPiece = async (from, bytes) => {
        const fate = fateOf();
        await turn();
        if (fate !== 'lost') taker.take(from, bytes);
        if (fate === 'arrives twice') mine.took(stream, taker.take(from, bytes));
        if (fate === 'sender replaced') return replace();
        // A message is only lost with the agent, and the next agent makes the sender go on.
        if (fate === 'lost' || fate === 'answer lost') return mine.resume();
        mine.took(stream, taker.taken.length);
        if (fate === 'answered twice') mine.took(stream, taker.taken.length);
      };
      arrived = await Promise.race([sender.give(stream, offset, piece, size, send), replaced]);
      if (!arrived) sender = new HandOver();
    }
    offset += piece.length;
  }
  return taker;
}

describe('a hand-over', () => {
  it('R31 is exact whatever is lost, repeated or replaced', async () => {
    const pieces = fc.array(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 5 },
    );
    const luck = fc.infiniteStream(fc.constantFrom<Fate>('fine', 'fine', ...fates));
    const exact = async (typed: Buffer[], size: number, fortune: Iterator<Fate>) => {
      const { taken } = await handOverAll(typed, size, () => fortune.next().value);
      expect(taken).toEqual(Buffer.concat(typed));
    };
    await fc.assert(fc.asyncProperty(pieces, fc.integer({ min: 1, max: 12 }), luck, exact), { numRuns: 300 });
  });

  it('sends one piece at a time, the next when it has been taken', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const given = handOver.give(stream, 0, text('abcdefgh'), 3, send);
    await turn();
    expect(sent).toEqual(['0 abc']);
    handOver.took(stream, 3);
    await turn();
    handOver.took(stream, 6);
    await turn();
    expect(sent).toEqual(['0 abc', '3 def', '6 gh']);
    handOver.took(stream, 8);
    expect(await given).toBe(true);
  });

  it('leaves out what had been taken before', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const given = handOver.give(stream, 10, text('abcdef'), 3, send);
    await turn();
    handOver.took(stream, 14);
    await turn();
    expect(sent).toEqual(['10 abc', '14 ef']);
    handOver.took(stream, 16);
    expect(await given).toBe(true);
    expect(await handOver.give(stream, 10, text('abcdef'), 3, send)).toBe(true);
    expect(await handOver.give(stream, 16, text(''), 3, send)).toBe(true);
    expect(sent).toHaveLength(2);
  });

  it('sends again with a new agent, and at a sign that tells nothing new', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const given = handOver.give(stream, 0, text('ab'), 9, send);
    await turn();
    handOver.resume();
    await turn();
    handOver.took(stream, 0);
    await turn();
    expect(sent).toEqual(['0 ab', '0 ab', '0 ab']);
    handOver.took(stream, 2);
    expect(await given).toBe(true);
    handOver.resume();
    await turn();
    expect(sent).toHaveLength(3);
  });

  it('takes a late sign for what it is', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const given = handOver.give(stream, 0, text('abcd'), 2, send);
    await turn();
    handOver.took(stream, 2);
    await turn();
    handOver.took(stream, 0);
    await turn();
    expect(sent).toEqual(['0 ab', '2 cd', '2 cd']);
    handOver.took(stream, 4);
    expect(await given).toBe(true);
  });

  it('of two for the same stream comes one after the other', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const first = handOver.give(stream, 0, text('ab'), 9, send);
    const again = handOver.give(stream, 0, text('abcd'), 9, send);
    const end = handOver.untilDeaf(stream, () => sent.push('end'));
    await turn();
    expect(sent).toEqual(['0 ab']);
    handOver.took(stream, 2);
    expect(await first).toBe(true);
    await turn();
    expect(sent).toEqual(['0 ab', '2 cd']);
    handOver.took(stream, 4);
    expect(await again).toBe(true);
    await turn();
    expect(sent).toEqual(['0 ab', '2 cd', 'end']);
    handOver.deaf(stream);
    await end;
  });

  it('is refused where something is missing before it', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const given = handOver.give(stream, 10, text('x'), 9, send);
    await turn();
    handOver.took(stream, 4);
    await expect(given).rejects.toMatchObject({
      code: 'refused',
      message: 'offset 10 is beyond the 4 bytes that have arrived; go on from there',
    });
    await expect(handOver.give(stream, 5, text('x'), 9, send)).rejects.toMatchObject({ code: 'refused' });
    expect(sent).toEqual(['10 x']);
    const next = handOver.give(stream, 4, text('x'), 9, send);
    await turn();
    handOver.took(stream, 5);
    expect(await next).toBe(true);
  });

  it('fails with its sender, and the next one goes on', async () => {
    const handOver = new HandOver();
    const { send } = notebook();
    const failing = handOver.give(stream, 0, text('x'), 9, () => Promise.reject(new Error('no room')));
    const next = handOver.give(stream, 0, text('x'), 9, send);
    await expect(failing).rejects.toThrow('no room');
    await turn();
    handOver.took(stream, 1);
    expect(await next).toBe(true);
  });
});

describe('a receiver', () => {
  it('that takes no more ends what is handed to it, now and later', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const given = handOver.give(stream, 0, text('abcd'), 2, send);
    const waiting = handOver.give(stream, 4, text('ef'), 2, send);
    await turn();
    handOver.deaf(stream);
    expect(await Promise.all([given, waiting])).toEqual([false, false]);
    expect(await handOver.give(stream, 6, text('gh'), 2, send)).toBe(false);
    expect(sent).toEqual(['0 ab']);
  });

  it('that took all before it took no more has taken all', async () => {
    const handOver = new HandOver();
    const { send } = notebook();
    const given = handOver.give(stream, 0, text('ab'), 2, send);
    await turn();
    handOver.took(stream, 2);
    handOver.release('1.1 ');
    expect(await given).toBe(true);
  });

  it('is asked to end until it has, over new agents', async () => {
    const handOver = new HandOver();
    const sent: string[] = [];
    const ended = handOver.untilDeaf(stream, () => sent.push('end'));
    await turn();
    handOver.resume();
    await turn();
    expect(sent).toEqual(['end', 'end']);
    handOver.deaf(stream);
    await ended;
    await handOver.untilDeaf(stream, () => sent.push('end'));
    expect(sent).toHaveLength(2);
  });

  it('that is let go of takes no more; its like elsewhere does', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    const gone = handOver.give('1.1/5-0 stdout', 0, text('a'), 9, send);
    const other = handOver.give('1.1/55-0 stdout', 0, text('b'), 9, send);
    await turn();
    handOver.release('1.1/5-0 ');
    expect(await gone).toBe(false);
    handOver.took('1.1/55-0 stdout', 1);
    expect(await other).toBe(true);
    expect(sent).toEqual(['0 a', '0 b']);
  });

  it('that nobody hands anything to may say what it likes', async () => {
    const handOver = new HandOver();
    const { sent, send } = notebook();
    handOver.took(stream, 100);
    handOver.deaf(stream);
    const given = handOver.give(stream, 0, text('a'), 9, send);
    await turn();
    handOver.took(stream, 1);
    expect(await given).toBe(true);
    expect(sent).toEqual(['0 a']);
  });
});
