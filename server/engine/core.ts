import { apply } from '../model/apply.ts';
import type { Effect, TaskEvent } from '../model/events.ts';
import { place } from '../model/placement.ts';
import type { Room } from '../model/room.ts';
import { type State, subtree } from '../model/state.ts';
import type { TaskNumber } from '../model/task.ts';
import type { VbatchError } from '../protocol/errors.ts';

/** Where events become durable. */
export interface Ledger {
  /** Takes the next event and returns its sequence. Throws once nothing can become durable any more. */
  append(event: TaskEvent): number;
  /** Resolves when this event and all before it are safe on disk. */
  durable(sequence: number): Promise<void>;
  /** Why nothing becomes durable at present, or null. */
  readonly problem: VbatchError | null;
  /** Must be told before a stored task changes. */
  beforeChange(task: TaskNumber): void;
}

/** What has become durable and may now have consequences. */
export interface Batch {
  sequence: number;
  changed: ReadonlySet<TaskNumber>;
  removed: readonly string[];
  effects: readonly Effect[];
}

/**
 * The one way round: an event is appended to the journal and applied, and only when it is durable are
 * its effects carried out and its changes published. Whatever can start is placed after every change,
 * in the same write to the disk.
 */
export class Core {
  private dirty = new Set<TaskNumber>();
  private removed: string[] = [];
  private effects: Effect[] = [];
  private delivering = false;
  private placementDue = false;

  constructor(
    readonly state: State,
    private readonly ledger: Ledger,
    private readonly room: Room,
    private readonly now: () => number,
    private readonly deliver: (batch: Batch) => void,
  ) {
    state.beforeChange = (task) => {
      ledger.beforeChange(task.number);
      this.dirty.add(task.number);
    };
  }

  get problem(): VbatchError | null {
    return this.ledger.problem;
  }

  /** Throws what is wrong with the ledger: work is only taken where it can be kept. */
  check(): void {
    if (this.ledger.problem !== null) throw this.ledger.problem;
  }

  /** Time for the next event, in milliseconds since the epoch. */
  time(): number {
    return this.now();
  }

  /** Makes an event happen. Returns its sequence, to be waited for by `durable`. */
  commit(event: TaskEvent): number {
    const removed =
      event.type === 'pruned' ? event.runs.flatMap((run) => subtree(this.state, this.state.task(run))) : [];
    const sequence = this.happen(event);
    for (const { id } of removed) this.removed.push(id);
    this.schedule();
    return sequence;
  }

  private happen(event: TaskEvent): number {
    const sequence = this.ledger.append(event);
    for (const effect of apply(this.state, event, sequence)) this.effects.push(effect);
    return sequence;
  }

  /** Resolves when everything that is known by now is durable, its consequences set going. */
  async settled(): Promise<void> {
    await this.ledger.durable(this.state.sequence);
  }

  async durable(sequence: number): Promise<void> {
    await this.ledger.durable(sequence);
  }

  /** Looks for work to start, once for all that happens in this turn. */
  schedule(): void {
    if (this.placementDue) return;
    this.placementDue = true;
    queueMicrotask(() => {
      this.placementDue = false;
      this.placeWaiting();
      void this.deliverDurable();
    });
  }

  private placeWaiting(): void {
    // While the disk is full it is placed all the same: it starts as soon as that is durable.
    if (this.ledger.problem?.code === 'stateFailed') return;
    const placements = place(this.state, this.room);
    if (placements.length > 0) this.happen({ type: 'placed', at: this.now(), placements });
  }

  private async deliverDurable(): Promise<void> {
    if (this.delivering) return;
    this.delivering = true;
    while (this.dirty.size > 0 || this.effects.length > 0 || this.removed.length > 0) {
      const batch = {
        sequence: this.state.sequence,
        changed: this.dirty,
        removed: this.removed,
        effects: this.effects,
      };
      this.dirty = new Set();
      this.removed = [];
      this.effects = [];
      try {
        await this.ledger.durable(batch.sequence);
      } catch {
        // The ledger has failed for good and says so in `problem`; what was not durable never happened.
        return;
      }
      this.deliver(batch);
    }
    this.delivering = false;
  }
}
