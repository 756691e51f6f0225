/**
 * What the window knows of tasks, kept up to date by the event stream. Entries are changed in place and stay
 * the same objects over gaps in the stream, so that the tree can tell them again.
 */
import type { StreamEvent } from '../../server/client/eventStreamState.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { type Entry, fill, runOf } from './entries.ts';
import { Family } from './family.ts';

/** Whether a task is wanted. `run` is the one that it belongs to. */
export type Filter = (entry: Entry, run: Entry) => boolean;

export class TaskStore {
  readonly runs = new Family(null);
  private readonly entries = new Map<string, Entry>();
  private filter: Filter | null = null;
  private fitting = 0;
  private picture = 0;
  private isWhole = false;

  /** @param onChange hears of every task that is new or told anew, and of those that are gone */
  constructor(private readonly onChange: (entry: Entry, isGone: boolean) => void = () => {}) {}

  /** How many tasks are known. */
  get size(): number {
    return this.entries.size;
  }

  /** How many of them the filter fits. */
  get matches(): number {
    return this.fitting;
  }

  /** Whether all tasks are known; until then, that there is none says nothing. */
  get whole(): boolean {
    return this.isWhole;
  }

  find(id: string): Entry | undefined {
    return this.entries.get(id);
  }

  /** The ids of all tasks, parents before children. */
  all(): Iterable<Entry> {
    return this.entries.values();
  }

  take(event: StreamEvent): void {
    switch (event.type) {
      case 'reset':
        // Nothing is forgotten before the new picture is whole: what is shown stays in its place.
        this.picture += 1;
        this.isWhole = false;
        return;
      case 'tasks':
        for (const id of event.removed) this.remove(id);
        for (const view of event.tasks) this.put(view);
        if (event.whole && !this.isWhole) this.dropStale();
        return;
      case 'hosts':
      case 'disconnected':
      case 'failed':
        return;
    }
  }

  /** Shows only what the filter fits, with what is above it; everything where it is null. */
  setFilter(filter: Filter | null): void {
    this.filter = filter;
    this.fitting = 0;
    this.runs.clearCounts();
    for (const entry of this.entries.values()) {
      entry.fits = false;
      entry.fitting = 0;
      entry.children?.clearCounts();
    }
    for (const entry of this.entries.values()) this.refit(entry);
  }

  private put(view: TaskView): void {
    const known = this.entries.get(view.id);
    const entry = known ?? this.make(view);
    if (entry.fitting > 0) entry.siblings.count(entry, -1);
    const wasFailure = known !== undefined && entry.status === 'FAILURE';
    fill(entry, view);
    this.countFailure(entry.parent, Number(entry.status === 'FAILURE') - Number(wasFailure));
    entry.picture = this.picture;
    if (entry.fitting > 0) entry.siblings.count(entry, 1);
    this.refit(entry);
    this.onChange(entry, false);
  }

  private make(view: TaskView): Entry {
    const parent = (view.parent === null ? undefined : this.entries.get(view.parent)) ?? null;
    const siblings = parent === null ? this.runs : (parent.children ??= new Family(parent));
    const entry: Entry = {
      kind: 'task',
      id: view.id,
      parent,
      siblings,
      place: siblings.nextPlace,
      children: null,
      name: view.name,
      status: view.status,
      held: false,
      reason: null,
      exitCode: null,
      pool: view.pool,
      host: null,
      attempt: 0,
      labels: view.labels,
      cwd: view.cwd,
      workspace: view.workspace,
      total: 0,
      done: 0,
      failed: 0,
      failures: 0,
      createdAt: 0,
      startedAt: null,
      resolvedAt: null,
      fits: false,
      fitting: 0,
      picture: this.picture,
    };
    siblings.add(entry);
    this.entries.set(entry.id, entry);
    return entry;
  }

  private remove(id: string): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    for (const child of entry.children?.entries() ?? []) this.remove(child.id);
    if (entry.fits) this.count(entry, -1);
    this.countFailure(entry.parent, -Number(entry.status === 'FAILURE'));
    entry.siblings.remove(entry);
    this.entries.delete(id);
    this.onChange(entry, true);
  }

  /** A child of this task has become a failure (1), or is none any more (-1). */
  private countFailure(parent: Entry | null, by: number): void {
    if (parent === null || by === 0) return;
    parent.failures += by;
    this.onChange(parent, false);
  }

  /** The picture is whole: what it did not show is gone. */
  private dropStale(): void {
    this.isWhole = true;
    const stale = [...this.entries.values()].filter(({ picture }) => picture !== this.picture);
    for (const { id } of stale) this.remove(id);
  }

  /** Asks the filter about an entry again, and counts what follows from that. */
  private refit(entry: Entry): void {
    const fits = this.filter === null || this.filter(entry, runOf(entry));
    if (fits === entry.fits) return;
    entry.fits = fits;
    this.count(entry, fits ? 1 : -1);
  }

  /** Counts one that fits in or off, for itself and for all above it. */
  private count(entry: Entry, by: 1 | -1): void {
    this.fitting += by;
    for (let each: Entry | null = entry; each !== null; each = each.parent) {
      const wasShown = each.fitting > 0;
      each.fitting += by;
      if (each.fitting > 0 !== wasShown) each.siblings.count(each, by);
    }
  }
}
