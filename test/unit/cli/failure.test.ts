import { describe, expect, it } from 'vitest';
import { reportFailure } from '../../../cli/failure.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import { FakeOutput } from './fixture.ts';

describe('R2 how a failed call ends', () => {
  it.each([
    [new VbatchError('usage', 'unknown flag --x'), 2, 'vbatch: unknown flag --x\n'],
    [new VbatchError('invalid', 'too long'), 2, 'vbatch: too long\n'],
    [new VbatchError('refused', 'no pool "\x1b[2J"'), 1, 'vbatch: no pool "␛[2J"\n'],
    [new VbatchError('noServer', 'no server'), 1, 'vbatch: no server\n'],
    [new VbatchError('configuration', 'a.yaml:1: x\na.yaml:2: y'), 1, 'vbatch: a.yaml:1: x\na.yaml:2: y\n'],
  ])('R2 %s', (error, code, text) => {
    const stderr = new FakeOutput();
    expect(reportFailure('vbatch', error, stderr)).toBe(code);
    expect(stderr.text).toBe(text);
  });

  it('a mistake of ours is one line without a stack', () => {
    const stderr = new FakeOutput();
    expect(reportFailure('vctl', new TypeError('x is not a function'), stderr)).toBe(1);
    expect(stderr.text).toBe(
      'vctl: this is a mistake in vbatch itself, please report it: x is not a function\n',
    );
  });
});
