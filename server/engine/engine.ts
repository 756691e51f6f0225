import type { Readable } from 'node:stream';
import { localHost } from '../config/configuration.ts';
import type { HostCalls, NestedCall, Seat, Viewer } from '../hosts/host.ts';
import { explain } from '../model/explain.ts';
import { statusOf } from '../model/outcome.ts';
import { type State, subtree } from '../model/state.ts';
import type { Task, TaskNumber } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import type { LogPlace } from '../protocol/logQueries.ts';
import type { CheckoutAnswer, RunDiff, RunFiles } from '../protocol/runs.ts';
import type {
  ActionResult,
  Explanation,
  HostView,
  PoolView,
  ServerView,
  StdinResponse,
  Submission,
  SubmitResult,
  TaskDetail,
  TaskList,
  TaskView,
} from '../protocol/tasks.ts';
import type { Timers } from '../timers.ts';
import type { ContentStore } from '../workspace/store.ts';
import {
  type ActionDecision,
  cancelDecision,
  holdDecision,
  prunableRuns,
  releaseDecision,
  retryDecision,
} from './actions.ts';
import { Attendance } from './attendance.ts';
import { type Batch, Core, type Ledger } from './core.ts';
import { Dispatch } from './dispatch.ts';
import type { Fleet } from './fleet.ts';
import { hostViews, poolViews } from './hostViews.ts';
import { findPlace } from './logPlace.ts';
import { type LogSearch, searchLog } from './logSearch.ts';
import { attemptKey, checkAttempt, openLog } from './logs.ts';
import { findTask, selectTasks, treeOf } from './queries.ts';
import { Reasons } from './reasons.ts';
import { Removals } from './removals.ts';
import type { Rooms } from './rooms.ts';
import type {
  Attended,
  Beside,
  EngineService,
  LogRequest,
  Publication,
  Submitter,
  TaskQuery,
  Typed,
} from './service.ts';
import { typeInto } from './stdin.ts';
import { Submissions } from './submissions.ts';
import type { TaskWatch } from './taskWatch.ts';
import { attendTask, openBeside } from './terminals.ts';
import { Trees } from './trees/trees.ts';
import { taskDetail, taskView } from './views.ts';
import { Waiters } from './waiters.ts';

export interface EngineParts {
  state: State;
  ledger: Ledger;
  fleet: Fleet;
  rooms: Rooms;
  timers: Timers;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** What the engine itself cannot know of `ServerView`. */
  identity: Pick<ServerView, 'version' | 'pid' | 'startedAt' | 'home'>;
  onCall: (host: HostCalls, call: NestedCall) => void;
  /** Folder for workspaces, and what opens the contents in it when they are first needed. */
  workspaces: { folder: string; open: () => Promise<ContentStore> };
  log: (message: string) => void;
}

/** The tasks of one state folder: takes requests, keeps the hosts busy, tells what has changed. */
export class Engine implements EngineService {
  private readonly core: Core;
  private readonly dispatch: Dispatch;
  private readonly submissions: Submissions;
  private readonly listeners = new Set<(publication: Publication) => void>();
  private readonly waiters = new Waiters();
  private readonly attendance: Attendance;
  private readonly removals: Removals;
  private readonly reasons: Reasons;
  private readonly trees: Trees;
  private published: number;

  constructor(private readonly parts: EngineParts) {
    const { state, ledger, fleet, rooms, timers, now, onCall, log, workspaces } = parts;
    this.core = new Core(state, ledger, rooms, now, (batch) => this.deliver(batch));
    const moved = () => this.lookAtReasons();
    this.trees = new Trees({ core: this.core, rooms, ...workspaces, moved, log });
    this.dispatch = new Dispatch(
      this.core,
      fleet,
      rooms,
      this.trees,
      timers,
      () => {
        this.publish({ type: 'hosts' });
        this.lookAtReasons();
      },
      onCall,
      log,
    );
    this.submissions = new Submissions(this.core, { state, fleet, rooms, trees: this.trees });
    this.attendance = new Attendance(timers, (task) => this.endStdin(task));
    this.removals = new Removals(state.lastRemoval);
    this.reasons = new Reasons(state, rooms, timers, (changed) => this.publishTasks(changed, []));
    this.published = state.sequence;
  }

  /** Connects the hosts, adopts what runs there, and starts what waits. */
  open(): void {
    this.dispatch.open();
    this.core.schedule();
    const { state } = this.parts;
    for (const number of state.live) this.attendance.look(state.task(number));
  }

  /** Gets ready what the first submission would wait for. */
  warmUp(): void {
    this.trees.warmUp();
  }

  /** Lets go of the hosts. What runs goes on. */
  async close(): Promise<void> {
    await this.dispatch.close();
  }

  get sequence(): number {
    return this.published;
  }

  submit(
    submissions: readonly Submission[],
    submitter: Submitter,
    options: { dryRun: boolean },
  ): Promise<SubmitResult[]> {
    return this.submissions.submit(submissions, submitter, options);
  }

  /** What `read` sees now, given out once all of it is durable. */
  private async whenDurable<T>(read: (parts: EngineParts) => T): Promise<T> {
    const seen = read(this.parts);
    // While the disk is full, to wait might take for ever.
    if (this.parts.state.sequence > this.published) this.core.check();
    await this.core.durable(this.parts.state.sequence);
    return seen;
  }

  find(text: string): Promise<TaskDetail> {
    return this.whenDurable(({ state, rooms }) => taskDetail(state, rooms, findTask(state, text)));
  }

  list(query: TaskQuery): Promise<TaskList> {
    return this.whenDurable(({ state, rooms }) => {
      const { tasks, next } = selectTasks(state, query);
      return { tasks: tasks.map((task) => taskView(state, rooms, task)), next };
    });
  }

  tree(text: string, limit: number): Promise<TaskView[]> {
    return this.whenDurable(({ state, rooms }) =>
      treeOf(state, findTask(state, text), limit).map((task) => taskView(state, rooms, task)),
    );
  }

  explain(text: string): Promise<Explanation> {
    return this.whenDurable(({ state, rooms }) => {
      const task = findTask(state, text);
      return { id: task.id, status: statusOf(task), sentences: explain(state, rooms, task) };
    });
  }

  cancel(text: string): Promise<ActionResult> {
    return this.act(text, cancelDecision);
  }

  hold(text: string): Promise<ActionResult> {
    return this.act(text, holdDecision);
  }

  release(text: string): Promise<ActionResult> {
    return this.act(text, releaseDecision);
  }

  retry(text: string): Promise<ActionResult> {
    return this.act(text, retryDecision);
  }

  private async act(
    text: string,
    decide: (task: Task, at: number, state: State) => ActionDecision,
  ): Promise<ActionResult> {
    this.core.check();
    const task = findTask(this.parts.state, text);
    const { event, message } = decide(task, this.core.time(), this.parts.state);
    const result = { id: task.id, changed: event !== null, message };
    if (event !== null) this.core.commit(event);
    await this.core.settled();
    return result;
  }

  async prune(options: { before: number; keep: number }): Promise<{ removed: string[] }> {
    this.core.check();
    const { state } = this.parts;
    const runs = prunableRuns(state, options);
    const removed = runs.map((number) => state.task(number).id);
    const trees = runs.flatMap((run) => {
      const { tree } = state.task(run);
      return tree ? [{ run, hosts: Object.keys(tree.hosts) }] : [];
    });
    if (runs.length > 0) this.core.commit({ type: 'pruned', at: this.core.time(), runs });
    await this.core.settled();
    // What cannot be removed now is removed with what `vctl host prune` finds.
    this.trees
      .forget(trees)
      .catch((error: Error) => this.parts.log(`removing files of runs: ${error.message}`));
    return { removed };
  }

  runFiles(text: string, all: boolean): Promise<RunFiles> {
    return this.trees.files(findTask(this.parts.state, text), all);
  }

  runDiff(text: string, other: string | null, contents: boolean): Promise<RunDiff> {
    const { state } = this.parts;
    return this.trees.diff(findTask(state, text), other === null ? null : findTask(state, other), contents);
  }

  checkOut(text: string, directory: string, isFirst: boolean): Promise<CheckoutAnswer> {
    return this.trees.checkOut(findTask(this.parts.state, text), directory, isFirst);
  }

  async pools(workspace: string | null): Promise<PoolView[]> {
    const configuration = await this.parts.rooms.refresh(workspace);
    return await this.whenDurable(({ state, rooms }) => poolViews(state, rooms.list(configuration)));
  }

  async hosts(): Promise<HostView[]> {
    await this.parts.rooms.refresh(null);
    return await this.whenDurable(({ state, rooms }) => hostViews(state, rooms));
  }

  server(): ServerView {
    const { state, identity } = this.parts;
    return {
      ...identity,
      tasks: state.tasks.size,
      sequence: this.published,
      problem: this.core.problem?.message ?? null,
    };
  }

  async whenDone(text: string, signal: AbortSignal): Promise<TaskView> {
    const { state, rooms } = this.parts;
    const found = findTask(state, text);
    const leave = this.attendance.attend(found);
    try {
      for (;;) {
        const task = state.tasks.get(found.number);
        if (task === undefined) throw new VbatchError('notFound', `task "${text}" has been pruned`);
        if (task.phase.kind === 'done') return await this.whenDurable(() => taskView(state, rooms, task));
        signal.throwIfAborted();
        await this.waiters.changed(found.number, signal);
      }
    } finally {
      leave();
    }
  }

  async log(text: string, request: LogRequest): Promise<Readable> {
    const task = findTask(this.parts.state, text);
    if (!request.follow || task.phase.kind === 'done') checkAttempt(task, request.attempt);
    return openLog(this.watch(task), request);
  }

  async logPlace(text: string, attempt: number | undefined, position: number | undefined): Promise<LogPlace> {
    const task = findTask(this.parts.state, text);
    checkAttempt(task, attempt);
    return await findPlace(this.watch(task), attempt ?? task.attempts.length, position);
  }

  async searchLog(text: string, attempt: number | undefined, search: LogSearch): Promise<Readable> {
    const { attempt: number, size } = await this.logPlace(text, attempt, undefined);
    const request: LogRequest = { stream: 'both', follow: false };
    if (number > 0) request.attempt = number;
    return searchLog(await this.log(text, request), search, size.stdout + size.stderr);
  }

  async type(text: string, typed: Typed, signal: AbortSignal): Promise<StdinResponse> {
    return await typeInto(this.watch(findTask(this.parts.state, text)), typed, signal);
  }

  async attend(text: string, viewer: Viewer, signal: AbortSignal): Promise<Attended> {
    return await attendTask(this.watch(findTask(this.parts.state, text)), viewer, signal);
  }

  async openBeside(text: string, what: Beside, viewer: Viewer): Promise<Seat> {
    const task = findTask(this.parts.state, text);
    const { directory } = this.trees.placeOn(task, task.attempts.at(-1)?.allocation.host ?? localHost);
    return await openBeside(this.watch(task), what, directory, viewer);
  }

  async logSize(text: string, attempt?: number): Promise<{ stdout: number; stderr: number; whole: boolean }> {
    const task = findTask(this.parts.state, text);
    const number = attempt ?? task.attempts.length;
    const name = task.attempts[number - 1]?.allocation.host;
    if (name === undefined) return { stdout: 0, stderr: 0, whole: true };
    const logs = this.parts.fleet.logs(name);
    const key = attemptKey(task.number, number);
    // Asked first: what arrives meanwhile is counted.
    const whole = logs.isWhole(key);
    const [stdout, stderr] = await Promise.all([logs.size(key, 'stdout'), logs.size(key, 'stderr')]);
    return { stdout, stderr, whole };
  }

  subscribe(listener: (publication: Publication) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  views(numbers: Iterable<TaskNumber>): TaskView[] {
    const { state, rooms } = this.parts;
    const tasks = [...numbers].flatMap((number) => state.tasks.get(number) ?? []);
    return tasks.sort((a, b) => a.number - b.number).map((task) => taskView(state, rooms, task));
  }

  whenSettled(action: () => void): void {
    if (this.parts.state.sequence <= this.published) action();
    // Where nothing becomes durable any more, nothing more is told either.
    else this.core.settled().then(action, () => {});
  }

  runs(): Iterable<TaskNumber> {
    return this.parts.state.runs;
  }

  numbers(below: string | null): Iterable<TaskNumber> {
    const { state } = this.parts;
    return below === null
      ? state.tasks.keys()
      : subtree(state, findTask(state, below)).map((task) => task.number);
  }

  changedSince(sequence: number): { changed: Set<TaskNumber>; removed: string[] } | null {
    const removed = this.removals.since(sequence);
    if (removed === null || sequence > this.published) return null;
    const changed = new Set<TaskNumber>();
    for (const task of this.parts.state.tasks.values()) {
      if (task.revision > sequence) changed.add(task.number);
    }
    for (const number of this.reasons.tasks()) changed.add(number);
    return { changed, removed };
  }

  private watch(task: Task): TaskWatch {
    return {
      task: () => task,
      host: (name) => this.parts.rooms.hosts.get(name)?.host,
      logs: (name) => this.parts.fleet.logs(name),
      trouble: (name) => {
        const host = this.parts.rooms.host(name);
        return host === undefined ? 'since it is not configured any more' : host.trouble;
      },
      changed: (signal) => this.waiters.changed(task.number, signal),
    };
  }

  private endStdin(task: Task): void {
    const host = this.watch(task).host(task.attempts.at(-1)?.allocation.host ?? '');
    void host?.input(attemptKey(task.number, task.attempts.length), 0, Buffer.alloc(0), true);
  }

  private deliver(batch: Batch): void {
    this.published = batch.sequence;
    for (const number of batch.changed) {
      const task = this.parts.state.tasks.get(number);
      if (task !== undefined) this.attendance.look(task);
    }
    if (batch.removed.length > 0) this.removals.add(batch.sequence, batch.removed);
    this.dispatch.perform(batch.effects);
    this.waiters.wake(batch.changed);
    this.publishTasks(batch.changed, batch.removed);
    this.lookAtReasons();
  }

  private publishTasks(changed: ReadonlySet<TaskNumber>, removed: readonly string[]): void {
    this.publish({ type: 'tasks', sequence: this.published, changed, removed });
  }

  private lookAtReasons(): void {
    if (this.listeners.size > 0) this.reasons.look();
  }

  private publish(publication: Publication): void {
    for (const listener of this.listeners) {
      try {
        listener(publication);
      } catch (error) {
        // A bug of one listener must not keep the others, or the hosts, from going on.
        this.parts.log(`telling of a change failed: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  }
}
