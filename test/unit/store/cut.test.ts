import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cut } from '../../../server/store/cut.ts';
import { type Change, Numbers } from './support.ts';

const change = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  value: fc.option(fc.nat(9)),
}) satisfies fc.Arbitrary<Change>;

describe('Cut', () => {
  it('reads the state of its moment, in order, whatever changes while it is read', () => {
    fc.assert(
      fc.property(fc.array(change), fc.array(fc.array(change, { maxLength: 4 })), (before, during) => {
        const state = new Numbers();
        for (const each of before) state.apply(each);
        const expected = [...state.values].map(([key, value]) => ({ key, value }));
        const cut = new Cut(state.keys(), (key) => state.record(key));
        state.beforeChange = (key) => cut.beforeChange(key);
        expect(cut.count).toBe(expected.length);

        const read: unknown[] = [];
        const steps = [...during];
        const changeSome = () => {
          for (const each of steps.shift() ?? []) state.apply(each);
        };
        changeSome();
        for (const text of cut) {
          read.push(JSON.parse(text));
          changeSome();
        }
        expect(read).toEqual(expected);
      }),
    );
  });

  it('reads each record once, and none that was made since', () => {
    const reads: string[] = [];
    const cut = new Cut(['a', 'b'], (key) => {
      reads.push(key);
      return key;
    });
    cut.beforeChange('b');
    cut.beforeChange('b');
    cut.beforeChange('made since');
    expect([...cut]).toEqual(['"a"', '"b"']);
    cut.beforeChange('a');
    expect(reads).toEqual(['b', 'a']);
  });

  it('throws where a record was removed without a word before', () => {
    const state = new Numbers();
    state.apply({ key: 'a', value: 1 });
    const cut = new Cut(state.keys(), (key) => state.record(key));
    state.values.delete('a');
    expect(() => [...cut]).toThrow(/record a was removed/);
  });
});
