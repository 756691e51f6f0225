import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closest, nearest } from '../../../server/model/nearest.ts';

const keys = ['cpus', 'memory', 'gpus', 'slots', 'env', 'setup', 'hosts'];

describe('nearest', () => {
  it.each([
    ['cpu', 'cpus'],
    ['hosst', 'hosts'],
    ['mem', 'memory'],
    ['environment', 'env'],
    ['GPUS', 'gpus'],
    ['stolts', 'slots'],
    ['sltos', 'slots'],
  ])('takes %s for %s', (word, meant) => {
    expect(nearest(word, keys)).toBe(meant);
  });

  it('takes gpux for a pool of that kind', () => {
    expect(nearest('gpux', ['shell', 'gpu-1', 'cpu-4'])).toBe('gpu-1');
  });

  it('suggests nothing where nothing is close', () => {
    expect(nearest('colour', keys)).toBeNull();
    expect(nearest('x', keys)).toBeNull();
    expect(nearest('', keys)).toBeNull();
    expect(nearest('cpus', [])).toBeNull();
  });

  it('prefers the closer of two, and the first of equals', () => {
    expect(nearest('train', ['brains', 'trains'])).toBe('trains');
    expect(nearest('prep', ['pref', 'pred'])).toBe('pref');
  });

  it('counts swapped neighbours as one mistake', () => {
    expect(nearest('ab', ['ba'])).toBeNull();
    expect(nearest('abc', ['bac'])).toBe('bac');
    expect(nearest('nmae', ['lame', 'name'])).toBe('name');
  });

  it('finds every word itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.array(fc.string({ maxLength: 40 })), (word, others) => {
        const found = nearest(word, [...others, word]);
        expect(found?.toLowerCase()).toBe(word.toLowerCase());
      }),
    );
  });

  it('does not compare essays letter by letter', () => {
    const names = Array.from({ length: 2_000 }, (_, i) => `${'n'.repeat(900)}${i}`);
    const before = performance.now();
    nearest('m'.repeat(900), names);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});

describe('closest', () => {
  it('R11 names the task that is nearest, however far', () => {
    expect(closest('compute', ['preprocess', 'train'])).toBe('preprocess');
  });

  it('is null only without candidates', () => {
    expect(closest('x', ['yyyy'])).toBe('yyyy');
    expect(closest('x', [])).toBeNull();
  });

  it('agrees with nearest wherever nearest finds something', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (word, candidates) => {
        const found = nearest(word, candidates);
        if (found !== null) expect(closest(word, candidates)).toBe(found);
      }),
    );
  });
});
