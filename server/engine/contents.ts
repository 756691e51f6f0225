/** What of the state is stored, and how it comes back. */
import { apply } from '../model/apply.ts';
import type { TaskEvent } from '../model/events.ts';
import { record, restore, State, type TaskRecord } from '../model/state.ts';
import type { EnvironmentChange, TaskNumber } from '../model/task.ts';
import type { Loader } from '../store/load.ts';
import type { Source } from '../store/store.ts';

interface Header {
  sequence: number;
  nextNumber: TaskNumber;
  lastRemoval: number;
  salt: number;
  environments: [string, EnvironmentChange][];
}

/** Loads a state from its snapshot and journal, and is the source of the next snapshots. */
export class Contents implements Source<TaskNumber>, Loader<TaskEvent, Header, TaskRecord> {
  private loaded: State | null = null;
  private savedHeader: Header | null = null;
  private readonly records: TaskRecord[] = [];

  /** @param newSalt for a state folder without tasks; any non-negative integer. */
  constructor(private readonly newSalt: number) {}

  /** The state, as soon as everything was loaded. */
  get state(): State {
    this.loaded ??= this.build();
    return this.loaded;
  }

  private build(): State {
    const state = new State(this.savedHeader?.salt ?? this.newSalt);
    if (this.savedHeader !== null) {
      state.sequence = this.savedHeader.sequence;
      state.nextNumber = this.savedHeader.nextNumber;
      state.lastRemoval = this.savedHeader.lastRemoval;
      for (const [key, change] of this.savedHeader.environments) state.environments.set(key, change);
    }
    restore(state, this.records);
    this.records.length = 0;
    return state;
  }

  restoreHeader(header: Header): void {
    this.savedHeader = header;
  }

  restore(task: TaskRecord): void {
    this.records.push(task);
  }

  replay(event: TaskEvent, sequence: number): void {
    apply(this.state, event, sequence);
  }

  header(): Header {
    const { sequence, nextNumber, lastRemoval, salt, environments } = this.state;
    return { sequence, nextNumber, lastRemoval, salt, environments: [...environments] };
  }

  keys(): Iterable<TaskNumber> {
    return this.state.tasks.keys();
  }

  record(key: TaskNumber): TaskRecord {
    return record(this.state.task(key));
  }
}
