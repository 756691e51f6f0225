/**
 * Reasons that change though their task does not (R19): what keeps the first of a line from starting, and
 * that a host is out of reach. What is said of all others changes only with themselves.
 */
import { reasonOf } from '../model/explain.ts';
import type { State } from '../model/state.ts';
import type { TaskNumber } from '../model/task.ts';
import type { Timers } from '../timers.ts';
import type { Rooms } from './rooms.ts';

/** Changes within this many milliseconds are looked at together. */
const gatherMs = 500;
/** Most lines that are looked at: there is one for each script that waits in a pool with its own. */
const mostLines = 200;

export class Reasons {
  /** What was last told, by task. */
  private told = new Map<TaskNumber, string | null>();
  private due = false;

  constructor(
    private readonly state: State,
    private readonly rooms: Rooms,
    private readonly timers: Timers,
    private readonly tell: (tasks: ReadonlySet<TaskNumber>) => void,
  ) {}

  /** Something has changed that a reason may speak of. Soon those that are new are told. */
  look(): void {
    if (this.due) return;
    this.due = true;
    this.timers.after(gatherMs, () => {
      this.due = false;
      this.tellNew();
    });
  }

  /** Tasks whose reason may have changed since they did. */
  *tasks(): Generator<TaskNumber> {
    for (const [name, { tasks }] of this.state.holdings) {
      // On a host within reach nothing is said of where they run.
      if (this.rooms.host(name)?.online !== true) yield* tasks.keys();
    }
    yield* this.rooms.moves.keys();
    let lines = 0;
    for (const queues of this.state.queues.values()) {
      for (const queue of queues.values()) {
        const first = queue.first();
        if (first !== null) yield first.number;
        if (++lines === mostLines) return;
      }
    }
  }

  private tellNew(): void {
    const before = this.told;
    this.told = new Map();
    for (const number of this.tasks()) {
      const task = this.state.tasks.get(number);
      if (task) this.told.set(number, reasonOf(this.state, this.rooms, task));
    }
    // What is not looked at any more, because its host is back, has lost its reason.
    const all = new Set([...this.told.keys(), ...before.keys()]);
    const fresh = [...all].filter((number) => this.told.get(number) !== before.get(number));
    if (fresh.length > 0) this.tell(new Set(fresh));
  }
}
