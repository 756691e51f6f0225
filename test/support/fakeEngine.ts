/** An EngineService in memory: it accepts everything, runs nothing, and ends tasks when told to. */
import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { type LogSearch, searchLog } from '../../server/engine/logSearch.ts';
import type {
  Attended,
  Beside,
  EngineService,
  LogRequest,
  Publication,
  Submitter,
  TaskQuery,
  Typed,
} from '../../server/engine/service.ts';
import type { Seat, Viewer } from '../../server/hosts/host.ts';
import type { TaskNumber } from '../../server/model/task.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { LogPlace } from '../../server/protocol/logQueries.ts';
import type { LogChunk } from '../../server/protocol/logs.ts';
import type { CheckoutAnswer, RunDiff, RunFiles } from '../../server/protocol/runs.ts';
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
} from '../../server/protocol/tasks.ts';

const someTime = '2024-05-06T07:08:09.000Z';

export class FakeEngine implements EngineService {
  sequence = 0;
  /** How many calls of whenDone are under way. */
  waiting = 0;
  /** What came before this sequence is too long ago to tell. */
  forgottenBefore = 0;
  readonly tasks = new Map<TaskNumber, TaskDetail>();
  /** Every call of a method that changes something, with its arguments. */
  readonly calls: unknown[][] = [];
  /** The log of every task, unless a test puts something else here. */
  openLog: (request: LogRequest) => Readable = () =>
    Readable.from([
      { stream: 'stdout', data: Buffer.from('out') },
      { stream: 'stderr', data: Buffer.from('err') },
    ] satisfies LogChunk[]);
  /** What becomes of those who want to sit at a terminal, unless a test puts something else here. */
  terminal: (viewer: Viewer, signal: AbortSignal) => Promise<Attended> = async () => 'ended';
  private readonly numbersById = new Map<string, TaskNumber>();
  private readonly removals: { sequence: number; id: string }[] = [];
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  /** Makes a task, or changes one, and publishes that. Returns its number. */
  put(id: string, change: Partial<TaskDetail> = {}): TaskNumber {
    const number = this.set(id, change);
    this.publish([number], []);
    return number;
  }

  /** Changes several tasks in one publication. */
  putAll(ids: readonly string[], change: Partial<TaskDetail> = {}): void {
    this.publish(
      ids.map((id) => this.set(id, change)),
      [],
    );
  }

  remove(id: string): void {
    const number = this.numbersById.get(id);
    if (number === undefined) throw new Error(`the test removes ${id}, which is not there`);
    this.tasks.delete(number);
    this.numbersById.delete(id);
    this.sequence += 1;
    this.removals.push({ sequence: this.sequence, id });
    this.publish([], [id]);
  }

  publishHosts(): void {
    this.emitter.emit('publication', { type: 'hosts' } satisfies Publication);
  }

  get subscribers(): number {
    return this.emitter.listenerCount('publication');
  }

  async submit(
    submissions: readonly Submission[],
    submitter: Submitter,
    options: { dryRun: boolean },
  ): Promise<SubmitResult[]> {
    this.calls.push(['submit', submissions, submitter, options]);
    return submissions.map((submission) => {
      if (submission.pool === 'missing') {
        return { error: { code: 'refused', message: 'There is no pool "missing".' } };
      }
      const id = `${submission.name ?? 'task'}-${this.tasks.size + 1}`;
      if (!options.dryRun) this.put(id, { command: submission.command, cwd: submission.directory });
      return { id, notes: [] };
    });
  }

  async find(text: string): Promise<TaskDetail> {
    return this.get(text);
  }

  async list(query: TaskQuery): Promise<TaskList> {
    this.calls.push(['list', query]);
    return { tasks: [...this.tasks.values()].slice(0, query.limit), next: null };
  }

  async tree(text: string, limit: number): Promise<TaskView[]> {
    const root = this.get(text);
    return this.views(this.numbers(root.id)).slice(0, limit);
  }

  async explain(text: string): Promise<Explanation> {
    const { id, status } = this.get(text);
    return { id, status, sentences: ['It waits.'] };
  }

  cancel = (text: string) => this.act('cancel', text);
  hold = (text: string) => this.act('hold', text);
  release = (text: string) => this.act('release', text);
  retry = (text: string) => this.act('retry', text);

  /** What `runDiff` finds. */
  diffed: RunDiff['files'] = [];

  async runFiles(id: string): Promise<RunFiles> {
    return {
      id,
      folder: '/work',
      files: [{ path: 'a', kind: 'file', change: 'new', size: 2 }],
      left: [],
      lost: [],
    };
  }

  async runDiff(id: string, other: string | null, contents: boolean): Promise<RunDiff> {
    this.calls.push(['runDiff', id, other, contents]);
    return { id, with: other, files: this.diffed, command: null, environment: [] };
  }

  async checkOut(id: string, directory: string, isFirst: boolean): Promise<CheckoutAnswer> {
    this.calls.push(['checkOut', id, directory, isFirst]);
    return { id, files: 1, bytes: 2, left: ['a:b'] };
  }

  async prune(options: { before: number; keep: number }): Promise<{ removed: string[] }> {
    this.calls.push(['prune', options]);
    return { removed: ['old-1'] };
  }

  async pools(workspace: string | null): Promise<PoolView[]> {
    this.calls.push(['pools', workspace]);
    const shape = { cpus: 1, memory: 0, gpus: 0, slots: null };
    return [{ name: 'shell', hosts: ['local'], ...shape, running: 0, queued: 0, source: 'built in' }];
  }

  async hosts(): Promise<HostView[]> {
    const use = { usedCpus: 0, usedMemory: 0, running: 0 };
    return [
      {
        name: 'local',
        state: 'online',
        since: someTime,
        reason: null,
        question: null,
        cpus: 2,
        memory: 8,
        gpus: [],
        ...use,
      },
    ];
  }

  server(): ServerView {
    const { sequence } = this;
    return {
      version: '1.2.3',
      pid: process.pid,
      startedAt: someTime,
      home: '/home',
      tasks: this.tasks.size,
      sequence,
      problem: null,
    };
  }

  async whenDone(text: string, signal: AbortSignal): Promise<TaskView> {
    this.waiting += 1;
    try {
      for (;;) {
        const task = this.get(text);
        if (task.resolvedAt !== null) return task;
        await once(this.emitter, 'publication', { signal });
      }
    } finally {
      this.waiting -= 1;
    }
  }

  async log(text: string, request: LogRequest): Promise<Readable> {
    this.get(text);
    this.calls.push(['log', request]);
    return this.openLog(request);
  }

  async logPlace(text: string, attempt = 1, position = 7): Promise<LogPlace> {
    this.get(text);
    const size = { stdout: 3, stderr: 4 };
    return { attempt, over: true, whole: true, size, position, before: size };
  }

  async searchLog(text: string, attempt: number | undefined, search: LogSearch): Promise<Readable> {
    this.get(text);
    this.calls.push(['searchLog', attempt, search]);
    return searchLog(this.openLog({ stream: 'both', follow: false }), search, 7);
  }

  async type(text: string, typed: Typed): Promise<StdinResponse> {
    this.get(text);
    this.calls.push(['type', { ...typed, data: typed.data.toString() }]);
    return { attempt: 1, open: !typed.end };
  }

  async attend(text: string, viewer: Viewer, signal: AbortSignal): Promise<Attended> {
    this.get(text);
    return await this.terminal(viewer, signal);
  }

  async openBeside(text: string, what: Beside, viewer: Viewer): Promise<Seat> {
    this.calls.push(['beside', text, what]);
    const place = await this.terminal(viewer, new AbortController().signal);
    if (typeof place !== 'object') throw new VbatchError('refused', `${text} is ${place}.`);
    return place.seat;
  }

  async logSize(): Promise<{ stdout: number; stderr: number; whole: boolean }> {
    return { stdout: 3, stderr: 4, whole: true };
  }

  subscribe(listener: (publication: Publication) => void): () => void {
    this.emitter.on('publication', listener);
    return () => this.emitter.off('publication', listener);
  }

  views(numbers: Iterable<TaskNumber>): TaskView[] {
    return [...numbers].flatMap((number) => this.tasks.get(number) ?? []);
  }

  whenSettled(action: () => void): void {
    action();
  }

  runs(): TaskNumber[] {
    return [...this.tasks].filter(([, { parent }]) => parent === null).map(([number]) => number);
  }

  numbers(below: string | null): TaskNumber[] {
    const all = [...this.tasks.entries()];
    return all
      .filter(([, { id }]) => below === null || id === below || id.startsWith(`${below}/`))
      .map(([number]) => number);
  }

  changedSince(sequence: number): { changed: Set<TaskNumber>; removed: string[] } | null {
    if (sequence < this.forgottenBefore) return null;
    const changed = [...this.tasks].filter(([, task]) => task.revision > sequence).map(([number]) => number);
    const removed = this.removals.filter((removal) => removal.sequence > sequence).map(({ id }) => id);
    return { changed: new Set(changed), removed };
  }

  private publish(changed: readonly TaskNumber[], removed: readonly string[]): void {
    const { sequence } = this;
    const publication: Publication = { type: 'tasks', sequence, changed: new Set(changed), removed };
    this.emitter.emit('publication', publication);
  }

  private set(id: string, change: Partial<TaskDetail>): TaskNumber {
    const known = this.numbersById.get(id);
    const number = known ?? this.sequence + 1;
    this.sequence += 1;
    const before = this.tasks.get(number) ?? freshTask(id);
    this.tasks.set(number, { ...before, ...change, revision: this.sequence });
    this.numbersById.set(id, number);
    return number;
  }

  private get(text: string): TaskDetail {
    const task = this.tasks.get(this.numbersById.get(text) ?? -1);
    if (task === undefined) throw new VbatchError('notFound', `There is no task ${text}.`);
    return task;
  }

  private async act(word: string, text: string): Promise<ActionResult> {
    const { id } = this.get(text);
    this.calls.push([word, id]);
    return { id, changed: true, message: `${word} of ${id} is done.` };
  }
}

/** A task as it is right after its submission. */
export function freshTask(id: string): TaskDetail {
  const segments = id.split('/');
  const run = segments[0] ?? id;
  return {
    id,
    name: segments.at(-1) ?? id,
    parent: segments.length > 1 ? segments.slice(0, -1).join('/') : null,
    run,
    status: 'QUEUED',
    exitCode: null,
    signal: null,
    reason: null,
    pool: 'shell',
    host: null,
    attempt: 0,
    held: false,
    command: ['true'],
    cwd: '/tmp',
    workspace: null,
    labels: {},
    priority: 0,
    dependencies: [],
    children: { total: 0, done: 0, failed: 0 },
    createdAt: someTime,
    startedAt: null,
    finishedAt: null,
    resolvedAt: null,
    revision: 0,
    attempts: [],
    allowFailure: false,
    timeLimit: null,
    retries: 0,
    terminal: false,
    shards: null,
  };
}
