/**
 * Siblings that are the same to a person: they run the same script and wait for the same. More than a dozen
 * of them stand as one stack.
 */
import { taskName } from '../../server/model/naming.ts';
import { type Counts, noCounts, placeOf } from './statuses.ts';
import type { Entry } from './tasks.ts';
import { type Dependency, upstreamFinder } from './upstreams.ts';

/** Above this number siblings are stacked. */
export const mostAlone = 12;

export interface Stack {
  /** Stays the same while the stack grows. */
  readonly key: string;
  /** What they run. */
  readonly name: string;
  readonly members: readonly Entry[];
  readonly counts: Counts;
}

/** The children of one parent in their order; a stack is where its first task would be. */
export function stacked(children: readonly Entry[]): (Entry | Stack)[] {
  if (children.length <= mostAlone) {
    for (const entry of children) entry.counts = null;
    return [...children];
  }
  const kindOf = kindFinder(children);
  const kinds = new Map<number, Entry[]>();
  for (const entry of children) {
    const kind = kindOf(entry);
    const alike = kinds.get(kind);
    if (alike === undefined) kinds.set(kind, [entry]);
    else alike.push(entry);
  }
  const found: (Entry | Stack)[] = [];
  for (const members of kinds.values()) {
    if (members.length > mostAlone) found.push(stackOf(members));
    else {
      for (const entry of members) entry.counts = null;
      found.push(...members);
    }
  }
  return found;
}

function stackOf(members: readonly Entry[]): Stack {
  const counts = noCounts();
  for (const entry of members) {
    const place = placeOf(entry.task.status);
    counts[place] = (counts[place] ?? 0) + 1;
    entry.counts = counts;
  }
  const [first] = members;
  return {
    key: `stack:${first?.task.id ?? ''}`,
    name: taskName(first?.task.command ?? []),
    members,
    counts,
  };
}

/** A number for each kind of sibling: two are of one kind if they run the same and wait for the same kinds. */
function kindFinder(children: readonly Entry[]): (entry: Entry) => number {
  const find = upstreamFinder(children);
  const numbers = new Map<string, number>();
  const kinds = new Map<Entry, number>();
  /** By what was found, which is the same for all that wait for a large fan-in. */
  const awaited = new Map<readonly Entry[], string>();
  const kindOf = (entry: Entry): number => {
    const known = kinds.get(entry);
    if (known !== undefined) return known;
    // Dependencies have no cycles (R12); should a name have been given anew meanwhile, this ends all the same.
    kinds.set(entry, -1);
    const { command, dependencies } = entry.task;
    const waits = dependencies.map((dependency) => `${dependency.kind} ${kindsOf(dependency)}`);
    const text = `${taskName(command)}\n${[...new Set(waits)].sort().join('\n')}`;
    let number = numbers.get(text);
    if (number === undefined) numbers.set(text, (number = numbers.size));
    kinds.set(entry, number);
    return number;
  };
  const kindsOf = (dependency: Dependency): string => {
    const found = find(dependency);
    if (found.length === 0) return `"${dependency.name}"`;
    let text = awaited.get(found);
    if (text === undefined) {
      text = [...new Set(found.map(kindOf))].sort((a, b) => a - b).join(',');
      awaited.set(found, text);
    }
    return text;
  };
  return kindOf;
}
