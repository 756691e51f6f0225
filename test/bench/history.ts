/** State folders with many finished tasks, as a server leaves them that has run those tasks. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Contents } from '../../server/engine/contents.ts';
import { environmentKey } from '../../server/engine/submission.ts';
import type { Submitted, TaskEvent } from '../../server/model/events.ts';
import { runSuffix } from '../../server/model/ids.ts';
import type { EnvironmentChange, TaskNumber, TaskSpec } from '../../server/model/task.ts';
import { Journal } from '../../server/store/journal.ts';
import { openStore } from '../../server/store/store.ts';

const salt = 1;
/** Half of the tasks are runs by themselves; the others are fan-outs of this many, their script included. */
const family = 1_000;
const change: EnvironmentChange = { set: { EDITOR: 'vim', PROJECT: 'penguins' }, unset: [] };
const exit = { exitCode: 0, signal: null, reason: null };
const allocation = { host: 'local', cpus: 0, memory: 0, gpus: [] };

/** Writes a journal of finished tasks into the state folder `home`, which must not exist yet. */
export async function writeJournal(home: string, count: number): Promise<void> {
  const folder = join(home, 'journal');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const journal = new Journal<TaskEvent>({ folder, last: 0, report: console.error });
  for (const event of history(count)) {
    // Otherwise all would be in memory at once.
    if (journal.append(event) % 10_000 === 0) await journal.durable(journal.sequence);
  }
  await journal.close();
}

/** Puts a snapshot of all its tasks beside the journal, as a server does when it ends. */
export async function addSnapshot(home: string): Promise<void> {
  const store = await openStore({ folder: home, contents: new Contents(salt), report: console.error });
  await store.close();
}

function* history(count: number): Generator<TaskEvent> {
  const at = Date.now() - 3_600_000;
  yield { type: 'environment', at, key: environmentKey(change), change };
  let number = 1;
  while (number <= count / 2) yield* finished(submitted(at, number++, null));
  while (number <= count) {
    const parent = number++;
    yield* begun(submitted(at, parent, null));
    while (number <= count && number < parent + family) yield* finished(submitted(at, number++, parent));
    yield ended(at, parent);
  }
}

function* finished(submission: Submitted): Generator<TaskEvent> {
  yield* begun(submission);
  yield ended(submission.at, submission.number);
}

function* begun(submission: Submitted): Generator<TaskEvent> {
  const { at, number: task } = submission;
  yield submission;
  yield { type: 'placed', at, placements: [{ task, allocation }] };
  yield { type: 'started', at, task, attempt: 1 };
}

function ended(at: number, task: TaskNumber): TaskEvent {
  return { type: 'ended', at, task, attempt: 1, exit };
}

function submitted(at: number, number: TaskNumber, parent: TaskNumber | null): Submitted {
  const name = `part-${number}.csv`;
  const segment = parent === null ? `${name}-${runSuffix(number, salt)}` : name;
  const key = parent === null ? randomUUID() : `${parent}.1/${number}-0`;
  return {
    type: 'submitted',
    at,
    number,
    segment,
    parent,
    spec: specOf(name),
    dependencies: [],
    held: false,
    key,
  };
}

function specOf(name: string): TaskSpec {
  return {
    name,
    command: ['python', 'process_file.py', name],
    directory: '/home/someone/project',
    pool: 'shell',
    shape: {},
    labels: {},
    priority: 0,
    timeLimit: null,
    retries: 0,
    allowFailure: false,
    awaited: false,
    environment: environmentKey(change),
    variables: {},
    workspace: null,
    shards: null,
  };
}
