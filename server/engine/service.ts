/**
 * What the edges (http, nested calls) may ask of the engine. Every method that changes something
 * resolves only when the change is durable; every method that reads waits for what it would show to
 * be durable first. Expected failures are thrown as `VbatchError`.
 */
import type { Readable } from 'node:stream';
import type { LogStream, Seat, Viewer } from '../hosts/host.ts';
import type { EnvironmentChange, TaskNumber, Terminal } from '../model/task.ts';
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
import type { LogSearch } from './logSearch.ts';

/** Who submits: the top level, or a running attempt (then the new tasks are its task's children). */
export interface Submitter {
  /** The task whose attempt submits, or null for a run. */
  parent: TaskNumber | null;
  /** Attempt number of the parent. 0 for a run. */
  attempt: number;
  /** What the submitter has changed relative to the login environment, or relative to its own start where it is an attempt. */
  environment: EnvironmentChange;
}

export interface TaskQuery {
  /** Only children of this task (an id as `find` takes it); null for runs; undefined for tasks anywhere. */
  parent?: string | null;
  /** Only what lies below this task, at any depth. */
  below?: string;
  statuses?: TaskView['status'][];
  pool?: string;
  labels?: Record<string, string>;
  /** Glob or plain text within the name or id. */
  text?: string;
  limit: number;
  /** `next` of the page before. Runs and search results come newest first, children in order of submission. */
  after?: string;
}

/** A change that clients must hear of: tasks by number, as of `sequence`; or the hosts' state. */
export type Publication =
  | { type: 'tasks'; sequence: number; changed: ReadonlySet<TaskNumber>; removed: readonly string[] }
  | { type: 'hosts' };

export interface LogRequest {
  /** Attempt number; the latest where it is absent. */
  attempt?: number;
  stream: LogStream | 'both';
  /** First byte wanted of a single stream; must be absent or 0 for `both`. */
  offset?: number;
  /** Of both streams: how many bytes of each to leave out. */
  before?: { stdout: number; stderr: number };
  /** Most bytes wanted. */
  length?: number;
  /** Keep reading until the task is done: over all its further attempts where `attempt` is absent. */
  follow: boolean;
}

/** Bytes for the stdin of a task's attempt. */
export interface Typed {
  /** The attempt meant; null before one is known. */
  attempt: number | null;
  /** Where they belong in its stdin. */
  offset: number;
  data: Buffer;
  /** Nothing follows. */
  end: boolean;
}

/**
 * A place at the terminal of an attempt; or why there is none: its command has ended, or goes on without the
 * terminal, which was lost.
 */
export type Attended = { attempt: number; seat: Seat } | 'ended' | 'gone';

/** What is to run beside a task: a command, or else the person's shell. */
export interface Beside {
  command: readonly string[] | null;
  terminal: Terminal;
}

export interface EngineService {
  /** Sequence of the newest durable event. */
  readonly sequence: number;
  /** One result for each submission, in order; a refused one does not stop the others. */
  submit(
    submissions: readonly Submission[],
    submitter: Submitter,
    options: { dryRun: boolean },
  ): Promise<SubmitResult[]>;
  /** The task that a person means: an id, else the name of a run (the newest). Else `notFound` naming the nearest. */
  find(text: string): Promise<TaskDetail>;
  list(query: TaskQuery): Promise<TaskList>;
  /** The task and everything below it, parents before children, up to `limit` tasks. */
  tree(text: string, limit: number): Promise<TaskView[]>;
  explain(text: string): Promise<Explanation>;
  cancel(text: string): Promise<ActionResult>;
  hold(text: string): Promise<ActionResult>;
  release(text: string): Promise<ActionResult>;
  retry(text: string): Promise<ActionResult>;
  /** Removes done runs that ended before `before` (milliseconds since the epoch), newest `keep` excepted. */
  prune(options: { before: number; keep: number }): Promise<{ removed: string[] }>;
  /** What a run has made of its files; with `all`, also what has not changed. */
  runFiles(text: string, all: boolean): Promise<RunFiles>;
  /**
   * What a run was submitted with, beside another, or for null beside the folder as it is now; with `contents`, also
   * what the files hold.
   */
  runDiff(text: string, other: string | null, contents: boolean): Promise<RunDiff>;
  /** Writes the files of a run into a new or empty folder: as they are now, or as they were submitted. */
  checkOut(text: string, directory: string, isFirst: boolean): Promise<CheckoutAnswer>;
  pools(workspace: string | null): Promise<PoolView[]>;
  hosts(): Promise<HostView[]>;
  server(): ServerView;
  /** Resolves when the task is done, with its final view; rejects when `signal` aborts. */
  whenDone(text: string, signal: AbortSignal): Promise<TaskView>;
  /** A stream of LogChunk objects. Destroying it stops the reading. */
  log(text: string, request: LogRequest): Promise<Readable>;
  /** Where a position in both streams is, of an attempt or the latest; the end where it is undefined. */
  logPlace(text: string, attempt: number | undefined, position: number | undefined): Promise<LogPlace>;
  /** A stream of LogSearchMessage objects about an attempt or the latest. Destroying it stops the search. */
  searchLog(text: string, attempt: number | undefined, search: LogSearch): Promise<Readable>;
  /** Types into a task's stdin, once it runs. Resolves when its command can read it; rejects when `signal` aborts. */
  type(text: string, typed: Typed, signal: AbortSignal): Promise<StdinResponse>;
  /** Takes a place at the terminal that a task runs in, once it runs; rejects when `signal` aborts. */
  attend(text: string, viewer: Viewer, signal: AbortSignal): Promise<Attended>;
  /**
   * Runs a command, or else the person's shell, in a terminal beside a running task, in its surroundings.
   * It is hung up when the viewer leaves or the task's command ends.
   */
  openBeside(text: string, what: Beside, viewer: Viewer): Promise<Seat>;
  /** Bytes of an attempt's output that are here, and whether an ended one's are all here. */
  logSize(text: string, attempt?: number): Promise<{ stdout: number; stderr: number; whole: boolean }>;
  /** Calls back after each durable batch. Returns the way to stop. */
  subscribe(listener: (publication: Publication) => void): () => void;
  /**
   * Views for the stream: each existing task of `numbers`, parents before children. They may show what
   * is not durable yet: pass them on from `whenSettled`.
   */
  views(numbers: Iterable<TaskNumber>): TaskView[];
  /** Calls `action` when all that can be seen now is durable: at once if it is. */
  whenSettled(action: () => void): void;
  /** Numbers of all tasks, or of the task `below` and all that lies below it; parents before children. */
  numbers(below: string | null): Iterable<TaskNumber>;
  /** Numbers of all runs. */
  runs(): Iterable<TaskNumber>;
  /** Tasks changed and ids removed since `sequence`; null when that is too long ago to tell, then all are new. */
  changedSince(sequence: number): { changed: Set<TaskNumber>; removed: string[] } | null;
}
