import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../../server/ssh/target.ts';

describe('parseTarget', () => {
  it.each([
    ['gpu-box', { host: 'gpu-box', user: null, port: null }],
    ['alice@gpu-box', { host: 'gpu-box', user: 'alice', port: null }],
    ['alice@corp.example@gpu-box:22', { host: 'gpu-box', user: 'alice@corp.example', port: 22 }],
    ['ssh://alice@gpu-box:2200/', { host: 'gpu-box', user: 'alice', port: 2200 }],
    ['[::1]:2200', { host: '::1', user: null, port: 2200 }],
    ['2001:db8::1', { host: '2001:db8::1', user: null, port: null }],
  ])('reads %s', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it('never gives what ssh would take for an option, or a shell for more than a word', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[-@:[\]a-z;$`'" /]*$/));
    fc.assert(
      fc.property(text, (given) => {
        try {
          const { host, user } = parseTarget(given);
          expect(host).toMatch(/^[^-\s;$`'"|&<>(){}\\/][^\s;$`'"|&<>(){}\\/]*$/);
          expect(user ?? '').not.toMatch(/^-/);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid' });
        }
      }),
    );
  });
});
