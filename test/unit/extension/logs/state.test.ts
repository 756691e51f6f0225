import { expect, it } from 'vitest';
import { attemptState } from '../../../../extension/logs/state.ts';
import type { HostView, TaskDetail } from '../../../../server/protocol/tasks.ts';
import { FakeEngine, freshTask } from '../../../support/fakeEngine.ts';

const since = '2024-05-06T07:08:09.000Z';
const [local] = await new FakeEngine().hosts();
const big = (state: HostView['state']): HostView[] => [{ ...(local as HostView), name: 'big', state, since }];

/** A task whose first attempt is on the host big. */
function on(state: TaskDetail['attempts'][number]['state'], exitCode: number | null = null): TaskDetail {
  const times = { placedAt: since, startedAt: since, endedAt: null };
  const attempt = { number: 1, host: 'big', state, gpus: [], exitCode, signal: null, reason: null, ...times };
  return { ...freshTask('x-1'), reason: 'It waits for room.', attempts: [attempt] };
}

it.each([
  ['unknown', null, 'online', true],
  ['waiting', { ...freshTask('x-1'), reason: 'It is held.' }, 'online', true],
  ['never', { ...freshTask('x-1'), resolvedAt: since }, 'online', true],
  ['waiting', on('starting'), 'online', true],
  ['running', on('running'), 'online', true],
  ['unreachable', on('running'), 'unreachable', true],
  ['unreachable', on('starting'), 'disconnected', true],
  ['fetching', on('ended', 0), 'online', false],
  ['cut', on('ended', 0), 'unreachable', false],
  ['ended', on('ended', 3), 'unreachable', true],
  ['ended', on('lost'), 'online', true],
] as const)('an attempt is %s', (kind, task, host, whole) => {
  expect(attemptState(task, 1, big(host), whole).kind).toBe(kind);
});

it('an attempt out of reach is so since when its host is', () => {
  expect(attemptState(on('running'), 1, big('unreachable'), true)).toEqual({
    kind: 'unreachable',
    host: 'big',
    since,
  });
  expect(attemptState(on('ended', 3), 1, [], true)).toMatchObject({ exitCode: 3 });
});
