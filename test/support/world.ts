/** A model of its own for a test: submits, places and ends tasks by hand, and keeps every event. */
import { apply } from '../../server/model/apply.ts';
import type { Effect, TaskEvent } from '../../server/model/events.ts';
import { segmentOf } from '../../server/model/naming.ts';
import { statusOf } from '../../server/model/outcome.ts';
import { place } from '../../server/model/placement.ts';
import type { Room, RoomHost, RoomPool } from '../../server/model/room.ts';
import { State } from '../../server/model/state.ts';
import { decideSubmission, type SubmissionDecision } from '../../server/model/submit.ts';
import type { DependencyKind, Task, TaskSpec } from '../../server/model/task.ts';

const gib = 1024 ** 3;

export interface Wanted extends Partial<TaskSpec> {
  afterSuccess?: string[];
  afterFail?: string[];
  after?: string[];
  held?: boolean;
  key?: string | null;
}

export class World {
  readonly state = new State(7);
  readonly events: TaskEvent[] = [];
  readonly effects: Effect[] = [];
  readonly hosts = new Map<string, RoomHost>();
  readonly pools = new Map<string, RoomPool>();
  readonly room: Room = {
    host: (name) => this.hosts.get(name),
    pool: (key) => this.pools.get(key),
    moving: () => null,
  };
  now = 1_000;

  constructor() {
    this.addHost('local', 16, 64, 4);
    this.addPool('shell', ['local']);
    this.addPool('cpu-8', ['local'], { cpus: 8 });
    this.addPool('cpu-16', ['local'], { cpus: 16 });
    this.addPool('gpu-1', ['local'], { gpus: 1 });
    this.addPool('one', ['local'], {}, 1);
  }

  addHost(name: string, cpus: number, memoryGib: number, gpus: number, online = true): void {
    this.hosts.set(name, {
      name,
      capacity: { cpus, memory: memoryGib * gib, gpus },
      gpus: Array.from({ length: gpus }, (_, index) => index),
      slotsPerGpu: 1,
      avoid: new Map(),
      online,
      trouble: online ? null : 'no route',
    });
  }

  /** Changes what is known of a host's GPUs. */
  setGpus(name: string, change: Partial<Pick<RoomHost, 'gpus' | 'slotsPerGpu' | 'avoid'>>): void {
    const host = this.hosts.get(name);
    if (host === undefined || host.capacity === null) throw new Error(`the test has no host ${name}`);
    const gpus = change.gpus ?? host.gpus;
    this.hosts.set(name, { ...host, ...change, capacity: { ...host.capacity, gpus: gpus.length } });
  }

  addPool(
    key: string,
    hosts: string[],
    shape: { cpus?: number; memory?: number; gpus?: number } = {},
    slots: number | null = null,
  ): void {
    this.pools.set(key, { key, name: key, hosts, shape: { cpus: 0, memory: 0, gpus: 0, ...shape }, slots });
  }

  commit(event: TaskEvent): void {
    // What is applied is what a journal would bring back.
    const stored = JSON.parse(JSON.stringify(event)) as TaskEvent;
    this.events.push(stored);
    this.effects.push(...apply(this.state, stored, this.state.sequence + 1));
  }

  decide(parent: Task | null, wanted: Wanted): SubmissionDecision {
    const { afterSuccess = [], afterFail = [], after = [], held = false, key = null, ...spec } = wanted;
    const name = spec.name ?? 'task';
    const named = (kind: DependencyKind, names: string[]) => names.map((text) => ({ kind, name: text }));
    return decideSubmission(
      this.state,
      this.room,
      {
        segment: segmentOf(name),
        dependencies: [
          ...named('success', afterSuccess),
          ...named('fail', afterFail),
          ...named('any', after),
        ],
        held,
        key,
        parent: parent?.number ?? null,
        attempt: parent?.attempts.length ?? 0,
        tree: null,
        spec: { ...plainSpec, ...spec, name },
      },
      ++this.now,
    );
  }

  /** Submits and returns the task; throws the reason where it is refused. */
  submit(parent: Task | null, wanted: Wanted = {}): Task {
    const decision = this.decide(parent, wanted);
    if (decision.kind === 'refused') throw new Error(decision.reason);
    if (decision.kind === 'known') return decision.task;
    this.commit(decision.event);
    return this.task(decision.id);
  }

  /** A run whose own command runs: a parent for others. */
  run(name = 'run', wanted: Wanted = {}): Task {
    const task = this.submit(null, { name, ...wanted });
    this.startAll();
    return task;
  }

  task(id: string): Task {
    return this.state.task(this.state.byId.get(id) ?? 0);
  }

  placeAll(): Task[] {
    const placements = place(this.state, this.room);
    if (placements.length > 0) this.commit({ type: 'placed', at: ++this.now, placements });
    return placements.map((placement) => this.state.task(placement.task));
  }

  /** Places what fits and reports it as started. Returns those tasks. */
  startAll(): Task[] {
    const placed = this.placeAll();
    for (const task of placed) this.started(task);
    return placed;
  }

  started(task: Task): void {
    this.commit({ type: 'started', at: ++this.now, task: task.number, attempt: task.attempts.length });
  }

  end(task: Task, exitCode = 0, signal: string | null = null): void {
    const exit = { exitCode, signal, reason: null };
    this.commit({ type: 'ended', at: ++this.now, task: task.number, attempt: task.attempts.length, exit });
  }

  lose(task: Task): void {
    this.commit({ type: 'lost', at: ++this.now, task: task.number, attempt: task.attempts.length });
  }

  cancel(task: Task): void {
    this.commit({ type: 'cancelled', at: ++this.now, task: task.number });
  }

  retry(task: Task): void {
    this.commit({ type: 'retried', at: ++this.now, task: task.number });
  }

  /** Statuses by id below a run, without the run's own part of the id. */
  statuses(run: Task): Record<string, string> {
    const below = [...this.state.tasks.values()].filter((task) => task.run === run.number);
    return Object.fromEntries(below.map((task) => [task.id.slice(run.id.length + 1), statusOf(task)]));
  }
}

const plainSpec: TaskSpec = {
  name: 'task',
  command: ['true'],
  directory: '/',
  pool: 'shell',
  shape: {},
  labels: {},
  priority: 0,
  timeLimit: null,
  retries: 0,
  allowFailure: false,
  awaited: false,
  environment: '',
  variables: {},
  workspace: null,
  shards: null,
};
