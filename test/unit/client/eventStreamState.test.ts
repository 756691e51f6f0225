import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  nextStep,
  type StreamEffect,
  type StreamInput,
  type StreamState,
} from '../../../server/client/eventStreamState.ts';
import { VbatchError } from '../../../server/protocol/errors.ts';
import type { StreamMessage, TaskView } from '../../../server/protocol/tasks.ts';
import { freshTask } from '../../support/fakeEngine.ts';

const idle: StreamState = { phase: 'idle' };
const connecting: StreamState = { phase: 'connecting', after: 5, failures: 2 };
const open: StreamState = { phase: 'open', after: 5, failures: 2, whole: null };
const pausing: StreamState = { phase: 'pausing', after: 5, failures: 2 };
const closed: StreamState = { phase: 'closed' };

const error = new VbatchError('notFound', 'There is no task x.');
const hello: StreamMessage = { type: 'hello', sequence: 9, reset: false };
const inputs = {
  start: { type: 'start' },
  opened: { type: 'opened' },
  message: { type: 'message', message: hello },
  lost: { type: 'lost', reason: 'gone', chance: 0.5 },
  refused: { type: 'refused', error },
  resumed: { type: 'resumed' },
  stop: { type: 'stop' },
} satisfies { [Type in StreamInput['type']]: StreamInput & { type: Type } };

/** What each input does to each state; all that is not listed changes nothing. */
const table: [StreamState, keyof typeof inputs, StreamState, StreamEffect[]][] = [
  [idle, 'start', { phase: 'connecting', after: 0, failures: 0 }, [{ type: 'connect', after: 0 }]],
  [idle, 'stop', closed, []],
  [connecting, 'opened', open, []],
  [
    connecting,
    'lost',
    { phase: 'pausing', after: 5, failures: 3 },
    [
      { type: 'tell', event: { type: 'disconnected', reason: 'gone' } },
      { type: 'pause', milliseconds: 300 },
    ],
  ],
  [connecting, 'refused', closed, [{ type: 'tell', event: { type: 'failed', error } }]],
  [connecting, 'stop', closed, [{ type: 'disconnect' }]],
  [open, 'message', { ...open, whole: 9 }, []],
  [
    open,
    'lost',
    { phase: 'pausing', after: 5, failures: 3 },
    [
      { type: 'tell', event: { type: 'disconnected', reason: 'gone' } },
      { type: 'pause', milliseconds: 300 },
    ],
  ],
  [open, 'stop', closed, [{ type: 'disconnect' }]],
  [pausing, 'resumed', connecting, [{ type: 'connect', after: 5 }]],
  [pausing, 'stop', closed, [{ type: 'endPause' }]],
  [closed, 'stop', closed, []],
];

describe.each([idle, connecting, open, pausing, closed])('in the state $phase', (state) => {
  it.each(Object.values(inputs))('takes the input $type', (input) => {
    const [, , next, effects] = table.find(([from, type]) => from === state && type === input.type) ?? [
      state,
      input.type,
      state,
      [],
    ];
    expect(nextStep(state, input)).toEqual({ state: next, effects });
  });
});

describe('messages', () => {
  const take = (state: StreamState, message: StreamMessage) => nextStep(state, { type: 'message', message });
  const tasks = (sequence: number): StreamMessage => ({
    type: 'tasks',
    sequence,
    tasks: [freshTask('a')],
    removed: ['b'],
  });

  it('forgets everything on a reset, the place to resume included', () => {
    const { state, effects } = take(open, { type: 'hello', sequence: 9, reset: true });
    expect(state).toEqual({ ...open, after: 0, whole: 9 });
    expect(effects).toEqual([{ type: 'tell', event: { type: 'reset' } }]);
  });

  it.each([
    [8, false],
    [9, true],
    [10, true],
  ])('knows at sequence %d whether the picture of sequence 9 is whole: %s', (sequence, whole) => {
    const { state, effects } = take({ ...open, whole: 9 }, tasks(sequence));
    expect(state).toEqual({ ...open, after: sequence, failures: 0, whole: 9 });
    const event = { type: 'tasks', tasks: [freshTask('a')], removed: ['b'], whole };
    expect(effects).toEqual([{ type: 'tell', event }]);
  });

  it('passes the hosts on', () => {
    expect(take(open, { type: 'hosts', hosts: [] }).effects).toEqual([
      { type: 'tell', event: { type: 'hosts', hosts: [] } },
    ]);
  });

  it('waits for the end of the connection when it is dropped', () => {
    expect(take(open, { type: 'dropped', sequence: 5 })).toEqual({ state: open, effects: [] });
  });
});

it('pauses longer after each failure, up to 5 s, half of it by chance', () => {
  const pauses = (chance: number) => {
    const found: number[] = [];
    let state: StreamState = { phase: 'connecting', after: 0, failures: 0 };
    for (let i = 0; i < 8; i++) {
      const step = nextStep(state, { type: 'lost', reason: '', chance });
      for (const effect of step.effects) if (effect.type === 'pause') found.push(effect.milliseconds);
      ({ state } = nextStep(step.state, { type: 'resumed' }));
    }
    return found;
  };
  expect(pauses(0)).toEqual([50, 100, 200, 400, 800, 1600, 2500, 2500]);
  expect(pauses(1)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

it('has at most one connection or pause at a time, and none once it is closed', () => {
  const messages: fc.Arbitrary<StreamMessage> = fc.oneof(
    fc.record({ type: fc.constant('hello' as const), sequence: fc.nat(20), reset: fc.boolean() }),
    fc.record({
      type: fc.constant('tasks' as const),
      sequence: fc.nat(20),
      tasks: fc.constant<TaskView[]>([]),
      removed: fc.constant<string[]>([]),
    }),
    fc.constant<StreamMessage>({ type: 'hosts', hosts: [] }),
    fc.record({ type: fc.constant('dropped' as const), sequence: fc.nat(20) }),
  );
  const input: fc.Arbitrary<StreamInput> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom<StreamInput[]>(
        ...Object.values(inputs).filter(({ type }) => type !== 'stop'),
      ),
    },
    { weight: 3, arbitrary: messages.map((message) => ({ type: 'message' as const, message })) },
    { weight: 1, arbitrary: fc.constant<StreamInput>(inputs.stop) },
  );
  fc.assert(
    fc.property(fc.array(input, { maxLength: 60 }), (all) => {
      let state: StreamState = idle;
      let connection = false;
      let pause = false;
      let told: number | null = null;
      for (const each of [inputs.start, ...all]) {
        const before: StreamState = state;
        const step = nextStep(state, each);
        ({ state } = step);
        // A connection ends by what the input says, a pause by running out.
        if (each.type === 'lost' || each.type === 'refused') connection &&= state === before;
        if (each.type === 'resumed' && before.phase === 'pausing') pause = false;
        if (each.type === 'message' && before.phase === 'open') {
          if (each.message.type === 'tasks') told = each.message.sequence;
          if (each.message.type === 'hello' && each.message.reset) told = 0;
        }
        for (const effect of step.effects) {
          expect(before.phase).not.toBe('closed');
          if (effect.type === 'connect') {
            expect([connection, pause]).toEqual([false, false]);
            expect(effect.after).toBe(told ?? 0);
            connection = true;
          } else if (effect.type === 'disconnect') {
            expect(connection).toBe(true);
            connection = false;
          } else if (effect.type === 'pause') {
            expect([connection, pause]).toEqual([false, false]);
            pause = true;
          } else if (effect.type === 'endPause') {
            expect(pause).toBe(true);
            pause = false;
          }
        }
        expect(connection).toBe(state.phase === 'connecting' || state.phase === 'open');
        expect(pause).toBe(state.phase === 'pausing');
      }
    }),
    { numRuns: 1_000 },
  );
});
