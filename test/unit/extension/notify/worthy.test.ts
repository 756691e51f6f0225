import { describe, expect, it } from 'vitest';
import { worthTelling } from '../../../../extension/notify/worthy.ts';
import type { TaskView } from '../../../../server/protocol/tasks.ts';
import { runView } from '../runView.ts';

const ended = (id: string, status: TaskView['status'], cwd = '/w/deep') =>
  ({ what: 'ended', run: runView({ id, status, cwd }) }) as const;
const changes = [
  ended('good', 'SUCCESS'),
  ended('bad', 'FAILURE'),
  ended('cancelled', 'CANCELLED'),
  ended('elsewhere', 'FAILURE', '/wide'),
  { what: 'began', run: runView({ id: 'again' }) } as const,
];
const told = (wanted: 'all' | 'failures' | 'none', folders = ['/w']) =>
  worthTelling(changes, wanted, folders).map(({ id }) => id);

describe('the ends that a window tells of', () => {
  it('are those of its own folders, as far as wanted', () => {
    expect(told('all')).toEqual(['good', 'bad']);
    expect(told('failures')).toEqual(['bad']);
    expect(told('none')).toEqual([]);
    expect(told('all', [])).toEqual([]);
    expect(told('all', ['/'])).toHaveLength(3);
  });
});
