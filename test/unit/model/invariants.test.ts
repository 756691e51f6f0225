/**
 * Everything that can happen to tasks, in random order: submissions, claims by a script that runs
 * again, gangs, shards, retries, lost attempts, time limits, hold, release, cancel, prune. After every
 * event the indexes that are kept up to date little by little must equal those that the records
 * alone give, and in the end nothing may be left waiting.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cancelDecision,
  holdDecision,
  prunableRuns,
  releaseDecision,
  retryDecision,
} from '../../../server/engine/actions.ts';
import { apply } from '../../../server/model/apply.ts';
import type { TaskEvent } from '../../../server/model/events.ts';
import { explain } from '../../../server/model/explain.ts';
import { record, type State } from '../../../server/model/state.ts';
import type { Task } from '../../../server/model/task.ts';
import { indexesOf, restored } from '../../support/indexes.ts';
import { World } from '../../support/world.ts';

const names = ['a', 'b', 'c', 'a/b', 'b/a', 'a_2'];
const pools = ['shell', 'shell', 'cpu-8', 'one', 'two', 'either'];

interface Action {
  what: string;
  pick: number;
  name: string;
  command: string;
  pool: string;
  kind: 'afterSuccess' | 'afterFail' | 'after';
  upstream: string | null;
  code: number;
  awaited: boolean;
  allowFailure: boolean;
  held: boolean;
  priority: number;
  retries: number;
  cpus: number | null;
  gpus: number | null;
  shards: { total: number; limit: number | null; gang: boolean } | null;
}

const submitting = Array.from({ length: 8 }, () => 'submit');
const ending = Array.from({ length: 6 }, () => 'end');
const action: fc.Arbitrary<Action> = fc.record({
  what: fc.constantFrom(
    ...submitting,
    ...ending,
    'claim',
    'claim',
    'claim',
    'run',
    'cancel',
    'hold',
    'release',
    'retry',
    'retry',
    'retry',
    'lose',
    'timeOut',
    'prune',
  ),
  pick: fc.nat(1_000),
  name: fc.constantFrom(...names),
  command: fc.constantFrom('x', 'x', 'x', 'y'),
  pool: fc.constantFrom(...pools),
  kind: fc.constantFrom<Action['kind'][]>('afterSuccess', 'afterFail', 'after'),
  upstream: fc.option(fc.constantFrom(...names), { freq: 2 }),
  code: fc.constantFrom(0, 0, 1),
  awaited: fc.boolean(),
  allowFailure: fc.nat(4).map((n) => n === 0),
  held: fc.nat(6).map((n) => n === 0),
  priority: fc.constantFrom(0, 0, 0, 1, -1),
  retries: fc.constantFrom(0, 0, 1),
  cpus: fc.option(fc.constantFrom(1, 0.1, 8), { freq: 5 }),
  gpus: fc.option(fc.constantFrom(1, 2, 3), { freq: 4 }),
  shards: fc.option(
    fc.record({
      total: fc.integer({ min: 1, max: 3 }),
      limit: fc.option(fc.constantFrom(1, 2)),
      gang: fc.boolean(),
    }),
    { freq: 4 },
  ),
});

const decisions = {
  cancel: cancelDecision,
  hold: holdDecision,
  release: releaseDecision,
  retry: retryDecision,
};

class Driver {
  readonly world = new World();

  constructor(private readonly check: (driver: Driver) => void) {
    this.world.addHost('far', 8, 64, 2);
    this.world.setGpus('local', { gpus: [2, 0, 1], slotsPerGpu: 2 });
    this.world.addPool('two', ['local'], { cpus: 2 }, 2);
    this.world.addPool('either', ['far', 'local'], { cpus: 3 });
    this.submit(null, { ...plain, name: 'a' });
  }

  private commit(event: TaskEvent): void {
    this.world.commit(event);
    this.check(this);
  }

  act(action: Action): void {
    const { state } = this.world;
    if (action.pick % 3 > 0) this.place();
    const all = [...state.tasks.values()];
    const pick = (from: readonly Task[]): Task | undefined => from[action.pick % Math.max(from.length, 1)];
    const running = pick(all.filter((one) => one.phase.kind === 'running' || one.phase.kind === 'starting'));
    const at = ++this.world.now;
    switch (action.what) {
      case 'submit': {
        this.submit(pick(all.filter((one) => one.phase.kind === 'running')) ?? null, action);
        break;
      }
      case 'claim': {
        const earlier = pick(all.filter((one) => isClaimable(state, one)));
        if (earlier?.parent == null) break;
        const { name, command, shards } = earlier.spec;
        this.submit(state.task(earlier.parent), { ...action, name, command: command[0] ?? '', shards });
        break;
      }
      case 'run':
        this.submit(null, action);
        break;
      case 'end':
        if (running !== undefined) this.end(running, action.code);
        break;
      case 'lose':
        if (running !== undefined)
          this.commit({ type: 'lost', at, task: running.number, attempt: running.attempts.length });
        break;
      case 'timeOut':
        if (running !== undefined)
          this.commit({ type: 'timedOut', at, task: running.number, attempt: running.attempts.length });
        break;
      case 'prune': {
        const runs = prunableRuns(state, { before: at, keep: action.pick % 3 });
        if (runs.length > 0) this.commit({ type: 'pruned', at, runs });
        break;
      }
      default: {
        const decide = decisions[action.what as keyof typeof decisions];
        const possible = all.map((one) => decide(one, at, state).event).filter((event) => event !== null);
        const event = possible[action.pick % Math.max(possible.length, 1)];
        if (event !== undefined) this.commit(event);
      }
    }
  }

  private submit(parent: Task | null, action: Action): void {
    const { name, command, pool, kind, upstream, awaited, allowFailure, held, priority, retries, shards } =
      action;
    const decision = this.world.decide(parent, {
      name,
      command: [command],
      pool,
      awaited: awaited && parent !== null,
      allowFailure,
      held,
      priority,
      retries,
      shards,
      shape: {
        ...(action.cpus !== null && { cpus: action.cpus }),
        ...(action.gpus !== null && { gpus: action.gpus }),
      },
      ...(upstream !== null && { [kind]: [upstream] }),
    });
    if (decision.kind === 'accepted') this.commit(decision.event);
  }

  private place(): Task[] {
    const placed = this.world.placeAll();
    this.check(this);
    for (const task of placed)
      this.commit({
        type: 'started',
        at: ++this.world.now,
        task: task.number,
        attempt: task.attempts.length,
      });
    return placed;
  }

  private end(task: Task, exitCode: number): void {
    const exit = { exitCode, signal: null, reason: null };
    this.commit({
      type: 'ended',
      at: ++this.world.now,
      task: task.number,
      attempt: task.attempts.length,
      exit,
    });
  }

  /** Lets all go and ends what runs, until nothing moves any more. */
  finish(): void {
    const { state } = this.world;
    for (const number of [...state.live]) {
      const { event } = releaseDecision(state.task(number), ++this.world.now);
      if (event !== null) this.commit(event);
    }
    for (;;) {
      this.place();
      const running = [...state.live].map((number) => state.task(number)).find(isUnderWay);
      if (running === undefined) return;
      this.end(running, 0);
    }
  }
}

const plain: Action = {
  what: 'run',
  pick: 0,
  name: 'a',
  command: 'x',
  pool: 'shell',
  kind: 'after',
  upstream: null,
  code: 0,
  awaited: false,
  allowFailure: false,
  held: false,
  priority: 0,
  retries: 0,
  cpus: null,
  gpus: null,
  shards: null,
};

/** Whether its parent's present attempt may submit it again (R29). */
function isClaimable(state: State, task: Task): boolean {
  const parent = task.parent === null ? null : state.task(task.parent);
  return parent?.phase.kind === 'running' && task.generation < parent.attempts.length;
}

function isUnderWay(task: Task): boolean {
  const state = task.attempts.at(-1)?.state;
  return state === 'starting' || state === 'running';
}

/** What must hold of every task at any moment. */
function flaw(state: State, task: Task): string | null {
  const children = task.children.map((number) => state.task(number));
  const { kind } = task.phase;
  if (isUnderWay(task) !== (kind === 'starting' || kind === 'running'))
    return `${task.id} is ${kind}, its attempt is not`;
  if (kind === 'done' && children.some((child) => child.phase.kind !== 'done'))
    return `${task.id} ended before a child`;
  const limit = task.spec.shards?.limit ?? Number.POSITIVE_INFINITY;
  const isGang = task.spec.shards?.gang === true;
  if (!isGang && children.filter(isUnderWay).length > limit)
    return `${task.id} runs more than ${limit} shards at once`;
  if (isGang && kind === 'subtasks' && children.some((child) => child.phase.kind === 'queued'))
    return `a shard of ${task.id} waits for room without the others`;
  return null;
}

const kinds: TaskEvent['type'][] = [
  'cancelled',
  'claimed',
  'ended',
  'held',
  'lost',
  'placed',
  'pruned',
  'released',
  'retried',
  'started',
  'submitted',
  'timedOut',
];

/** What fails is shown as it was found: to make it smaller would take minutes. */
const endOnFailure = true;

describe('after every event of random scenarios', () => {
  const scenario = fc.array(action, { minLength: 10, maxLength: 120, size: 'max' });

  it('the indexes equal those that the records alone give', () => {
    const seen = new Set<string>();
    const check = ({ world: { state, events } }: Driver) => {
      seen.add(events.at(-1)?.type ?? '');
      const [kept, computed] = [indexesOf(state), indexesOf(restored(state))];
      // The comparison of texts is fast, the other one tells the difference.
      if (JSON.stringify(kept) !== JSON.stringify(computed)) expect(kept).toEqual(computed);
      for (const task of state.tasks.values()) {
        const found = flaw(state, task);
        if (found !== null) throw new Error(found);
      }
    };
    fc.assert(
      fc.property(scenario, (actions) => {
        const driver = new Driver(check);
        for (const one of actions) driver.act(one);
        driver.finish();
      }),
      { numRuns: 60, endOnFailure },
    );
    // The scenarios must reach every kind of event, or the comparison says little.
    expect([...seen.keys()].sort()).toEqual(kinds);
  });

  it('R19 R31 a state restored in the middle goes on like the one that never stopped, and nothing waits for ever', () => {
    fc.assert(
      fc.property(scenario, fc.nat(1_000), (actions, cut) => {
        const driver = new Driver(() => {});
        const middle = cut % actions.length;
        for (const one of actions.slice(0, middle)) driver.act(one);
        const { world } = driver;
        const copy = restored(world.state);
        const seen = world.events.length;
        for (const one of actions.slice(middle)) driver.act(one);
        for (const task of world.state.tasks.values()) {
          for (const sentence of explain(world.state, world.room, task))
            expect(sentence).not.toMatch(/undefined|NaN| -\d/);
        }
        driver.finish();
        const waiting = [...world.state.live].map((number) =>
          explain(world.state, world.room, world.state.task(number)),
        );
        expect(waiting).toEqual([]);
        for (const [at, event] of world.events.slice(seen).entries()) apply(copy, event, seen + at + 1);
        expect([...copy.tasks.values()].map(record)).toEqual([...world.state.tasks.values()].map(record));
        expect(indexesOf(copy)).toEqual(indexesOf(world.state));
      }),
      { numRuns: 200, endOnFailure },
    );
  });
});
