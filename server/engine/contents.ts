/** What of the state is stored, and how it comes back. */
import { apply } from '../model/apply.ts';
import type { TaskEvent } from '../model/events.ts';
import { record, restoreIndexes, restoreTask, State, type TaskRecord } from '../model/state.ts';
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
  private loading: State;
  /** Whether there are tasks whose indexes have yet to be made. */
  private unindexed = false;

  /** @param newSalt for a state folder without tasks; any non-negative integer. */
  constructor(newSalt: number) {
    this.loading = new State(newSalt);
  }

  /** The state. Not to be asked for before all records are restored. */
  get state(): State {
    if (this.unindexed) restoreIndexes(this.loading);
    this.unindexed = false;
    return this.loading;
  }

  restoreHeader({ sequence, nextNumber, lastRemoval, salt, environments }: Header): void {
    this.loading = new State(salt);
    Object.assign(this.loading, { sequence, nextNumber, lastRemoval });
    for (const [key, change] of environments) this.loading.environments.set(key, change);
  }

  /** Record by record, so that no second copy of them all is ever held. */
  restore(task: TaskRecord): void {
    restoreTask(this.loading, task);
    this.unindexed = true;
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
