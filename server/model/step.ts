import type { Effect } from './events.ts';
import type { State } from './state.ts';
import type { TaskNumber } from './task.ts';

/** One event being applied: its time, what is still to be looked at, and what it orders. */
export interface Step {
  readonly state: State;
  readonly at: number;
  readonly pending: TaskNumber[];
  readonly effects: Effect[];
}
