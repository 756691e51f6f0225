import { describe, expect, it } from 'vitest';
import { idsIn } from '../../../../extension/terminal/ids.ts';

const isRun = (id: string) => id === 'train-4k2m9' || id === 'a.b-00001';

describe('ids in a terminal', () => {
  it('are found alone, in sentences and with what lies below the run', () => {
    expect(idsIn('train-4k2m9', isRun)).toEqual([{ start: 0, id: 'train-4k2m9' }]);
    expect(idsIn('see train-4k2m9/x.csv/eval, or a.b-00001.', isRun)).toEqual([
      { start: 4, id: 'train-4k2m9/x.csv/eval' },
      { start: 31, id: 'a.b-00001' },
    ]);
  });

  it('are none where no such run is known', () => {
    expect(idsIn('tsan-12345 built-in under-score', isRun)).toEqual([]);
  });
});
