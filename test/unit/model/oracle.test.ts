/**
 * Random trees of tasks with random dependencies, exit codes, orders of arrival and cancellations.
 * Two things must hold: every task ends as a naive oracle says, that knows nothing of events and
 * works top-down from the bare facts; and replaying the events gives the same state at every prefix.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply } from '../../../server/model/apply.ts';
import { record, restore, State, type TaskRecord } from '../../../server/model/state.ts';
import type { Outcome, Task } from '../../../server/model/task.ts';
import { World } from '../../support/world.ts';

const names = ['a', 'b', 'c', 'd'];

/** One thing to do next; numbers pick among what there is at that moment. */
interface Action {
  what: 'submit' | 'end' | 'cancel' | 'hold' | 'place';
  pick: number;
  name: number;
  kinds: ('success' | 'fail' | 'any')[];
  targets: number[];
  code: number;
  allowFailure: boolean;
  shards: number;
}

const action: fc.Arbitrary<Action> = fc.record({
  what: fc.constantFrom<Action['what'][]>(
    'submit',
    'submit',
    'submit',
    'end',
    'end',
    'cancel',
    'hold',
    'place',
  ),
  pick: fc.nat(1_000),
  name: fc.nat(3),
  kinds: fc.array(fc.constantFrom<Action['kinds']>('success', 'fail', 'any'), { maxLength: 2 }),
  targets: fc.array(fc.nat(3), { minLength: 2, maxLength: 2 }),
  code: fc.constantFrom(0, 0, 0, 1, 7),
  allowFailure: fc.boolean(),
  shards: fc.constantFrom(0, 0, 0, 0, 3),
});

/** What the oracle is told of a task: only what a bystander could have written down. */
interface Fact {
  id: string;
  parent: string | null;
  name: string;
  order: number;
  dependencies: { kind: 'success' | 'fail' | 'any'; name: string }[];
  /** How many siblings there were when it was submitted: names bind to those, or else to the next. */
  siblingsBefore: number;
  code: number;
  allowFailure: boolean;
  /** It was not done when it, or something above it, was cancelled. */
  cancelled: boolean;
  isGroup: boolean;
}

/** The outcome of every task, from the facts alone. */
function oracle(facts: Map<string, Fact>): (id: string) => Outcome {
  const all = [...facts.values()].sort((x, y) => x.order - y.order);
  const siblingsOf = (fact: Fact) => all.filter((other) => other.parent === fact.parent);
  const memo = new Map<string, Outcome>();
  const upstreamOf = (fact: Fact, name: string): Fact[] => {
    const siblings = siblingsOf(fact);
    const before = siblings.slice(0, fact.siblingsBefore).filter((other) => other.name === name);
    if (before.length > 0) return before;
    return siblings
      .slice(fact.siblingsBefore + 1)
      .filter((other) => other.name === name)
      .slice(0, 1);
  };
  const outcome = (id: string): Outcome => {
    const known = memo.get(id);
    if (known !== undefined) return known;
    const fact = facts.get(id)!;
    const found = decide(fact);
    memo.set(id, found);
    return found;
  };
  const bad = (o: Outcome) => o !== 'success' && o !== 'skipped';
  const decide = (fact: Fact): Outcome => {
    if (fact.cancelled) return 'cancelled';
    let skipped = false;
    for (const dependency of fact.dependencies) {
      const ends = upstreamOf(fact, dependency.name).map((up) => outcome(up.id));
      if (ends.length === 0) return 'failedUpstream';
      const failed = ends.some(bad);
      const allSkipped = ends.every((o) => o === 'skipped');
      if (dependency.kind === 'success' && failed) return 'failedUpstream';
      if (dependency.kind === 'success' && allSkipped) skipped = true;
      if (dependency.kind === 'fail' && !failed) skipped = true;
    }
    if (skipped) return 'skipped';
    if (fact.parent !== null && facts.get(fact.parent)!.isGroup) {
      const group = outcomeBefore(facts.get(fact.parent)!);
      if (group !== null) return group;
    }
    if (!fact.isGroup && fact.code !== 0) return 'failure';
    const children = all.filter((other) => other.parent === fact.id && !other.allowFailure);
    return children.some((child) => bad(outcome(child.id))) ? 'failure' : 'success';
  };
  /** What a group's dependencies make of it, before its shards count; null where it may start. */
  const outcomeBefore = (group: Fact): Outcome | null => {
    const alone = decide({ ...group, id: '', isGroup: false, code: 0, cancelled: false });
    return alone === 'success' ? null : alone;
  };
  return outcome;
}

class Driver {
  readonly world = new World();
  readonly facts = new Map<string, Fact>();
  readonly prefixes: string[] = [];
  private running: Task[] = [];
  private readonly root: Task;

  constructor() {
    this.root = this.world.submit(null, { name: 'run' });
    this.note(this.root, [], 0, false);
    this.place();
  }

  private note(task: Task, dependencies: Fact['dependencies'], code: number, allowFailure: boolean): void {
    const parent = task.parent === null ? null : this.world.state.task(task.parent);
    this.facts.set(task.id, {
      id: task.id,
      parent: parent?.id ?? null,
      name: task.spec.name,
      order: task.number,
      dependencies,
      siblingsBefore: parent === null ? 0 : parent.children.indexOf(task.number),
      code,
      allowFailure,
      cancelled: false,
      isGroup: task.spec.shards !== null,
    });
    for (const child of task.children) this.note(this.world.state.task(child), [], code, false);
  }

  place(): void {
    this.running.push(...this.world.startAll());
  }

  act(action: Action): void {
    const pick = <T>(from: readonly T[]): T | undefined => from[action.pick % Math.max(from.length, 1)];
    if (action.what === 'submit') {
      const parent = pick(this.running.filter((task) => task.phase.kind === 'running'));
      if (parent !== undefined) this.submit(parent, action);
    } else if (action.what === 'end') {
      const task = pick(this.running);
      if (task !== undefined) this.end(task);
    } else if (action.what === 'place') {
      this.place();
    } else {
      const task = pick([...this.world.state.live].map((number) => this.world.state.task(number)));
      if (task === undefined) return;
      if (action.what === 'cancel' && action.pick % 3 === 0) this.cancel(task);
      else if (action.what === 'hold' && (task.phase.kind === 'waiting' || task.phase.kind === 'queued')) {
        this.world.commit({ type: 'held', at: 1, task: task.number });
      }
    }
  }

  private submit(parent: Task, action: Action): void {
    const dependencies = action.kinds.map((kind, i) => ({ kind, name: names[action.targets[i]!]! }));
    const of = (kind: string) => dependencies.filter((one) => one.kind === kind).map((one) => one.name);
    const decision = this.world.decide(parent, {
      name: names[action.name]!,
      allowFailure: action.allowFailure,
      afterSuccess: of('success'),
      afterFail: of('fail'),
      after: of('any'),
      shards: action.shards > 0 ? { total: action.shards, limit: 2, gang: false } : null,
    });
    if (decision.kind !== 'accepted') return;
    this.world.commit(decision.event);
    this.note(this.world.task(decision.id), dependencies, action.code, action.allowFailure);
  }

  private end(task: Task): void {
    this.running = this.running.filter((one) => one !== task);
    this.world.end(task, this.facts.get(task.id)!.code);
  }

  private cancel(task: Task): void {
    for (const fact of this.facts.values()) {
      const below = fact.id === task.id || fact.id.startsWith(`${task.id}/`);
      if (below && this.world.task(fact.id).phase.kind !== 'done') fact.cancelled = true;
    }
    this.world.cancel(task);
  }

  /** Ends everything, in an order that `order` makes. */
  finish(order: readonly number[]): void {
    for (const number of [...this.world.state.live]) {
      if (this.world.state.task(number).held) this.world.commit({ type: 'released', at: 1, task: number });
    }
    this.place();
    for (let i = 0; this.running.length > 0; i++) {
      this.end(this.running[(order[i % order.length] ?? 0) % this.running.length]!);
      this.place();
    }
  }
}

/** The state as JSON, indexes left out: what a snapshot would hold. */
function picture(state: State): string {
  return JSON.stringify([...state.tasks.values()].map(record));
}

const scenario = fc.record({
  actions: fc.array(action, { minLength: 5, maxLength: 60 }),
  order: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30 }),
});

describe('the model against an oracle', () => {
  it('R13 R14 R15 R16 R17 ends every task, and as the oracle says', () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(scenario, ({ actions, order }) => {
        const driver = new Driver();
        for (const one of actions) driver.act(one);
        driver.finish(order);
        const expected = oracle(driver.facts);
        for (const fact of driver.facts.values()) {
          const { phase } = driver.world.task(fact.id);
          expect(phase.kind, fact.id).toBe('done');
          if (phase.kind !== 'done') continue;
          expect({ id: fact.id, outcome: phase.outcome }).toEqual({
            id: fact.id,
            outcome: expected(fact.id),
          });
          ends.set(phase.outcome, (ends.get(phase.outcome) ?? 0) + 1);
        }
      }),
      { numRuns: 400 },
    );
    // The scenarios must reach every outcome, or the comparison says little.
    expect([...ends.keys()].sort()).toEqual(['cancelled', 'failedUpstream', 'failure', 'skipped', 'success']);
  });

  it('gives the live state at every prefix of the journal, from events and from a snapshot', () => {
    fc.assert(
      fc.property(scenario, fc.nat(1_000), ({ actions, order }, cut) => {
        const driver = new Driver();
        const pictures: { events: number; picture: string }[] = [];
        const look = () =>
          pictures.push({ events: driver.world.events.length, picture: picture(driver.world.state) });
        look();
        for (const one of actions) {
          driver.act(one);
          look();
        }
        driver.finish(order);
        look();
        const replayed = new State(7);
        let at = 0;
        for (const { events, picture: seen } of pictures) {
          for (; at < events; at++) apply(replayed, driver.world.events[at]!, at + 1);
          expect(picture(replayed)).toBe(seen);
        }
        const { events, picture: seen } = pictures[cut % pictures.length]!;
        const restored = new State(7);
        restore(restored, JSON.parse(seen) as TaskRecord[]);
        for (let i = events; i < driver.world.events.length; i++)
          apply(restored, driver.world.events[i]!, i + 1);
        expect(picture(restored)).toBe(picture(driver.world.state));
      }),
      { numRuns: 150 },
    );
  });
});
