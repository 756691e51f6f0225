/** What a state keeps only to be fast, as plain data: it must follow from the records alone. */

import type { TaskRecord } from '../../server/model/state.ts';
import { record, restore, State } from '../../server/model/state.ts';
import type { Task, TaskNumber } from '../../server/model/task.ts';

/** All indexes of a state, in an order that does not depend on its history. */
export function indexesOf(state: State): unknown {
  return {
    tasks: Object.fromEntries([...state.tasks.values()].map((task) => [task.number, familyOf(task)])),
    byId: entries(state.byId),
    byKey: entries(state.byKey),
    runs: ascending(state.runs),
    live: ascending(state.live),
    holdings: entries(state.holdings).map(([host, holding]) => [
      host,
      // Fractions of CPUs add up to rounding errors that depend on the order.
      Math.round(holding.cpus * 1e6) + 0,
      holding.memory,
      entries(holding.gpus).map(([index, holders]) => [index, ascending(holders)]),
      entries(holding.tasks),
    ]),
    occupants: entries(state.occupants)
      .filter(([, tasks]) => tasks.size > 0)
      .map(([pool, tasks]) => [pool, ascending(tasks)]),
    queues: queuesOf(state),
    names: namesOf(state),
  };
}

/** The state that comes back from the records of this one. */
export function restored(state: State): State {
  const copy = new State(state.salt);
  copy.sequence = state.sequence;
  copy.nextNumber = state.nextNumber;
  copy.lastRemoval = state.lastRemoval;
  restore(copy, JSON.parse(JSON.stringify([...state.tasks.values()].map(record))) as TaskRecord[]);
  return copy;
}

function familyOf({ children, tally, dependents, dependencies }: Task) {
  return {
    children,
    tally,
    dependents: dependents.map(({ task, dependency }) => `${task}.${dependency}`).sort(),
    dependencies: dependencies.map((dependency) => dependency.tally),
  };
}

/** Who waits for room in which pool, in the order of each line. */
function queuesOf(state: State): [string, TaskNumber[][]][] {
  return entries(state.queues)
    .map(([pool, lines]): [string, TaskNumber[][]] => [
      pool,
      [...lines.values()]
        .map((line) => [...line].map((task) => task.number))
        .filter((line) => line.length > 0)
        .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)),
    ])
    .filter(([, lines]) => lines.length > 0);
}

/** Who bears which name in which family. */
function namesOf(state: State): unknown {
  const families = [0, ...state.tasks.keys()].map((parent) => {
    const names = new Map(state.existingScope(parent)?.allNames() ?? []);
    return [parent, entries(names).map(([name, bearers]) => [name, ascending(bearers)])] as const;
  });
  return families.filter(([, names]) => names.length > 0);
}

function entries<K extends string | number, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function ascending(numbers: Iterable<TaskNumber>): TaskNumber[] {
  return [...numbers].sort((a, b) => a - b);
}
