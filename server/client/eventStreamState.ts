/**
 * What a client of the event stream does next: a pure function from a state and what has happened
 * to the next state and what is to be done. events.ts does it.
 */
import type { VbatchError } from '../protocol/errors.ts';
import type { HostView, StreamMessage, TaskView } from '../protocol/tasks.ts';

export type StreamState =
  | { readonly phase: 'idle' }
  | {
      readonly phase: 'connecting';
      /** Sequence to resume from; 0 for all anew. */
      readonly after: number;
      /** Connections in a row that came to nothing. */
      readonly failures: number;
    }
  | {
      readonly phase: 'open';
      readonly after: number;
      readonly failures: number;
      /** The picture is whole from this sequence on; null before the server has said hello. */
      readonly whole: number | null;
    }
  | { readonly phase: 'pausing'; readonly after: number; readonly failures: number }
  | { readonly phase: 'closed' };

export type StreamInput =
  | { readonly type: 'start' }
  | { readonly type: 'opened' }
  | { readonly type: 'message'; readonly message: StreamMessage }
  /** The connection ended, or none came about. `chance` is random, from 0 up to 1. */
  | { readonly type: 'lost'; readonly reason: string; readonly chance: number }
  /** The server refuses the stream for a reason that will not pass. */
  | { readonly type: 'refused'; readonly error: VbatchError }
  /** The pause is over. */
  | { readonly type: 'resumed' }
  | { readonly type: 'stop' };

/** What whoever listens is told. */
export type StreamEvent =
  /** Forget every task; the whole picture follows. */
  | { readonly type: 'reset' }
  /** First forget what was removed, then take these tasks. `whole`: nothing is missing any more. */
  | {
      readonly type: 'tasks';
      readonly tasks: readonly TaskView[];
      readonly removed: readonly string[];
      readonly whole: boolean;
    }
  | { readonly type: 'hosts'; readonly hosts: readonly HostView[] }
  /** What is known may be out of date until the next `tasks`; another try follows by itself. */
  | { readonly type: 'disconnected'; readonly reason: string }
  /** Nothing more will come. */
  | { readonly type: 'failed'; readonly error: VbatchError };

export type StreamEffect =
  | { readonly type: 'connect'; readonly after: number }
  | { readonly type: 'disconnect' }
  | { readonly type: 'pause'; readonly milliseconds: number }
  | { readonly type: 'endPause' }
  | { readonly type: 'tell'; readonly event: StreamEvent };

export interface Step {
  readonly state: StreamState;
  readonly effects: readonly StreamEffect[];
}

/** The first pause; each further failure in a row doubles it. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** The next step. Inputs that come too late for the state they find change nothing. */
export function nextStep(state: StreamState, input: StreamInput): Step {
  switch (input.type) {
    case 'start':
      return state.phase === 'idle' ? connect(0, 0) : stay(state);
    case 'opened': {
      if (state.phase !== 'connecting') return stay(state);
      const { after, failures } = state;
      return { state: { phase: 'open', after, failures, whole: null }, effects: [] };
    }
    case 'message':
      return state.phase === 'open' ? take(state, input.message) : stay(state);
    case 'lost':
      if (state.phase !== 'connecting' && state.phase !== 'open') return stay(state);
      return pause(state, input.reason, input.chance);
    case 'refused':
      if (state.phase !== 'connecting') return stay(state);
      return { state: { phase: 'closed' }, effects: [tell({ type: 'failed', error: input.error })] };
    case 'resumed':
      return state.phase === 'pausing' ? connect(state.after, state.failures) : stay(state);
    case 'stop':
      return { state: { phase: 'closed' }, effects: cleanUp(state) };
  }
}

function stay(state: StreamState): Step {
  return { state, effects: [] };
}

function tell(event: StreamEvent): StreamEffect {
  return { type: 'tell', event };
}

function connect(after: number, failures: number): Step {
  return { state: { phase: 'connecting', after, failures }, effects: [{ type: 'connect', after }] };
}

function take(state: StreamState & { phase: 'open' }, message: StreamMessage): Step {
  switch (message.type) {
    case 'hello': {
      const after = message.reset ? 0 : state.after;
      const effects = message.reset ? [tell({ type: 'reset' })] : [];
      return { state: { ...state, after, whole: message.sequence }, effects };
    }
    case 'tasks': {
      const { sequence, tasks, removed } = message;
      const whole = state.whole !== null && sequence >= state.whole;
      // Only what brings news proves a connection good: one that ends after every hello is a failure.
      const next = { ...state, after: sequence, failures: 0 };
      return { state: next, effects: [tell({ type: 'tasks', tasks, removed, whole })] };
    }
    case 'hosts':
      return { state, effects: [tell({ type: 'hosts', hosts: message.hosts })] };
    case 'dropped':
      // The server ends the connection after this, and that is what counts.
      return stay(state);
  }
}

function pause(state: StreamState & { phase: 'connecting' | 'open' }, reason: string, chance: number): Step {
  const { after, failures } = state;
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
  // Half of it is random, so that the clients of a restarted server do not all come at once.
  const milliseconds = longest * (0.5 + chance / 2);
  return {
    state: { phase: 'pausing', after, failures: failures + 1 },
    effects: [tell({ type: 'disconnected', reason }), { type: 'pause', milliseconds }],
  };
}

function cleanUp({ phase }: StreamState): StreamEffect[] {
  if (phase === 'connecting' || phase === 'open') return [{ type: 'disconnect' }];
  return phase === 'pausing' ? [{ type: 'endPause' }] : [];
}
