/**
 * The children of one task, or the runs, and the groups in which they are shown. Counts are kept by group
 * and by hundred, so that a change costs the same among 100,000 siblings as among 10, and a group is listed
 * without a look at all of them.
 */
import type { Status } from '../statuses.ts';
import type { Entry } from './entries.ts';

/** How siblings are grouped, in the order in which the groups are shown. */
export const groupNames = [
  'failed',
  'failedUpstream',
  'cancelled',
  'running',
  'queued',
  'pending',
  'succeeded',
  'skipped',
] as const;
export type GroupName = (typeof groupNames)[number];

/** Siblings in one state. */
export interface Group {
  readonly kind: 'group';
  readonly family: Family;
  readonly name: GroupName;
}

/** The siblings at a hundred places in a row, as far as they are in the group; all of them where that is null. */
export interface Hundred {
  readonly kind: 'hundred';
  readonly family: Family;
  readonly group: Group | null;
  readonly number: number;
}

/** Most siblings in one list. */
export const hundred = 100;
/** A list that has been split is one again when it is this short: not at 99, or it would flicker. */
const fewAgain = 50;

/** How many members a group has, in all and by hundred, and whether it is shown by hundreds. */
interface Tally {
  total: number;
  readonly byHundred: number[];
  isSplit: boolean;
}

const groupByStatus: Record<Status, GroupName> = {
  PENDING: 'pending',
  QUEUED: 'queued',
  STARTING: 'running',
  RUNNING: 'running',
  RUNNING_SUBTASKS: 'running',
  SUCCESS: 'succeeded',
  FAILURE: 'failed',
  FAILED_UPSTREAM: 'failedUpstream',
  SKIPPED: 'skipped',
  CANCELLED: 'cancelled',
};

export class Family {
  /** By place; null where one was removed. */
  private readonly members: (Entry | null)[] = [];
  private readonly tallies = new Map<GroupName, Tally>();
  private readonly all: Tally = { total: 0, byHundred: [], isSplit: false };
  private readonly groups = new Map<GroupName, Group>();
  private readonly hundreds = new Map<string, Hundred>();

  /** @param parent null for the runs */
  constructor(readonly parent: Entry | null) {}

  /** How many are shown. */
  get size(): number {
    return this.all.total;
  }

  /** The place of the next one. */
  get nextPlace(): number {
    return this.members.length;
  }

  /** Makes room for an entry; `count` must follow. */
  add(entry: Entry): void {
    this.members[entry.place] = entry;
  }

  /** Forgets an entry that has been counted off. */
  remove(entry: Entry): void {
    this.members[entry.place] = null;
  }

  /** Counts a shown entry in (1) or off (-1), under the status that it has. */
  count({ place, status }: Entry, by: 1 | -1): void {
    const name = groupByStatus[status];
    let tally = this.tallies.get(name);
    if (tally === undefined) this.tallies.set(name, (tally = { total: 0, byHundred: [], isSplit: false }));
    for (const each of [tally, this.all]) {
      each.total += by;
      const at = Math.floor(place / hundred);
      each.byHundred[at] = (each.byHundred[at] ?? 0) + by;
    }
  }

  /** Forgets all counts: the filter has changed. */
  clearCounts(): void {
    this.tallies.clear();
    this.all.total = 0;
    this.all.byHundred.length = 0;
  }

  *entries(): Generator<Entry> {
    for (const entry of this.members) if (entry !== null) yield entry;
  }

  /** What is shown below the parent: tasks in order of submission, or groups where they are too many. */
  lines(): (Entry | Group)[] {
    if (!splits(this.all)) return this.shownIn(null);
    return groupNames.filter((name) => this.sizeOf(name) > 0).map((name) => this.group(name));
  }

  /** The runs: the newest hundred or two, newest first, and before them the older ones by hundreds. */
  runLines(): (Entry | Hundred)[] {
    const newest = Math.max(0, Math.floor(this.members.length / hundred) - 1);
    const lines: (Entry | Hundred)[] = this.placesFrom(newest * hundred, this.members.length, null);
    const older = this.hundredsIn(this.all, null).filter(({ number }) => number < newest);
    return [...lines.reverse(), ...older.reverse()];
  }

  /** What is shown in a group: tasks, or hundreds where they are too many. */
  linesOf(group: Group): (Entry | Hundred)[] {
    const tally = this.tallies.get(group.name);
    if (tally === undefined) return [];
    return splits(tally) ? this.hundredsIn(tally, group) : this.shownIn(group);
  }

  tasksOf({ number, group }: Hundred): Entry[] {
    const tasks = this.placesFrom(number * hundred, (number + 1) * hundred, group?.name ?? null);
    return group === null ? tasks.reverse() : tasks;
  }

  sizeOf(name: GroupName): number {
    return this.tallies.get(name)?.total ?? 0;
  }

  sizeOfHundred({ number, group }: Hundred): number {
    const tally = group === null ? this.all : this.tallies.get(group.name);
    return tally?.byHundred[number] ?? 0;
  }

  /** The line that holds an entry: a group or hundred; null where it stands right below the parent. */
  holderOf(entry: Entry): Group | Hundred | null {
    const number = Math.floor(entry.place / hundred);
    if (this.parent === null) {
      return number < Math.floor(this.members.length / hundred) - 1 ? this.hundred(null, number) : null;
    }
    if (!splits(this.all)) return null;
    const group = this.group(groupByStatus[entry.status]);
    const tally = this.tallies.get(group.name);
    return tally !== undefined && splits(tally) ? this.hundred(group, number) : group;
  }

  private group(name: GroupName): Group {
    let group = this.groups.get(name);
    if (group === undefined) this.groups.set(name, (group = { kind: 'group', family: this, name }));
    return group;
  }

  private hundred(group: Group | null, number: number): Hundred {
    const key = `${group?.name ?? ''} ${number}`;
    let found = this.hundreds.get(key);
    if (found === undefined) {
      this.hundreds.set(key, (found = { kind: 'hundred', family: this, group, number }));
    }
    return found;
  }

  private hundredsIn({ byHundred }: Tally, group: Group | null): Hundred[] {
    return [...byHundred.keys()]
      .filter((number) => (byHundred[number] ?? 0) > 0)
      .map((number) => this.hundred(group, number));
  }

  /** All that are shown of a group, which are few. */
  private shownIn(group: Group | null): Entry[] {
    const tally = group === null ? this.all : this.tallies.get(group.name);
    return [...(tally?.byHundred.keys() ?? [])]
      .filter((number) => (tally?.byHundred[number] ?? 0) > 0)
      .flatMap((number) => this.placesFrom(number * hundred, (number + 1) * hundred, group?.name ?? null));
  }

  private placesFrom(from: number, to: number, name: GroupName | null): Entry[] {
    return this.members
      .slice(from, to)
      .filter((entry): entry is Entry => entry !== null && entry.fitting > 0)
      .filter((entry) => name === null || groupByStatus[entry.status] === name);
  }
}

/** Whether a list is shown in parts. Once it is, it stays so until it is short. */
function splits(tally: Tally): boolean {
  tally.isSplit = tally.total > (tally.isSplit ? fewAgain : hundred);
  return tally.isSplit;
}
