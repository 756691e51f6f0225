import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boolean,
  byte,
  FieldReader,
  MessageSplitter,
  string,
  uint32,
  uint64,
} from '../../../server/ssh/wire.ts';

const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));

describe('the fields of messages', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(0xffffffff), fc.maxSafeNat(), fc.boolean(), bytes, (a, b, c, d, e) => {
        const fields = new FieldReader(Buffer.concat([byte(a), uint32(b), uint64(c), boolean(d), string(e)]));
        expect([fields.byte(), fields.uint32(), fields.uint64(), fields.boolean(), fields.string()]).toEqual([
          a,
          b,
          c,
          d,
          e,
        ]);
        expect(fields.left).toBe(0);
        expect(() => fields.byte()).toThrow('in the middle');
      }),
    );
  });

  it('are put together however they arrive', () => {
    fc.assert(
      fc.property(fc.array(bytes), fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (messages, sizes) => {
        const all = Buffer.concat(messages.map((message) => string(message)));
        const splitter = new MessageSplitter(50);
        const got: Buffer[] = [];
        for (let at = 0; at < all.length; ) {
          const size = sizes.next().value as number;
          got.push(...splitter.add(all.subarray(at, at + size)));
          at += size;
        }
        expect(got.map((message) => message.toString('hex'))).toEqual(
          messages.map((one) => one.toString('hex')),
        );
      }),
    );
  });

  it('are refused where they are too long', () => {
    expect(() => new MessageSplitter(10).add(uint32(11))).toThrow('11 bytes');
  });
});
