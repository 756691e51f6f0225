import { expect, it } from 'vitest';
import { keepaliveOf } from '../../../server/ssh/connection.ts';

it.each([
  // Not set; quicker than ours; slower; what Debian's ssh says for `BatchMode yes`; as quick.
  { interval: 0, count: 3, expected: [5, 3] },
  { interval: 2, count: 2, expected: [2, 2] },
  { interval: 60, count: 3, expected: [5, 3] },
  { interval: 300, count: 3, expected: [5, 3] },
  { interval: 1, count: 15, expected: [5, 3] },
])(
  'a lost link is noticed within 15 s where ServerAlive is $interval s × $count',
  ({ interval, count, expected }) => {
    const keepalive = keepaliveOf({ serverAliveInterval: interval, serverAliveCountMax: count });
    expect([keepalive.interval, keepalive.count]).toEqual(expected);
  },
);
