import { expect, it } from 'vitest';
import { summarize } from '../../../../extension/status/summary.ts';
import { runView } from '../runView.ts';

it('the status bar counts runs that are under way, and says why a server is lost', () => {
  const runs = [runView({ id: 'a' }), runView({ id: 'b', status: 'SUCCESS' })];
  expect(summarize({ kind: 'connected', version: '1' }, runs)).toEqual({ kind: 'runs', active: 1 });
  expect(summarize({ kind: 'idle' }, runs)).toEqual({ kind: 'idle' });
  const lost = { kind: 'lost', reason: 'it does not answer', mismatch: false } as const;
  expect(summarize(lost, runs)).toEqual({ kind: 'lost', reason: 'it does not answer' });
});
