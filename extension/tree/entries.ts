/** What the window keeps of a task: enough for a line of the tree, its actions and the filter; no more. */
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Status } from '../statuses.ts';
import type { Family } from './family.ts';

/** A task. The same object for as long as the task is known, so that the tree can tell it again. */
export interface Entry {
  readonly kind: 'task';
  readonly id: string;
  /** Null for a run, and while the parent is not known. */
  readonly parent: Entry | null;
  /** Its siblings, itself among them. */
  readonly siblings: Family;
  /** Position among the siblings, in order of submission. It never changes, also when others are removed. */
  readonly place: number;
  /** Null while it has no children. */
  children: Family | null;
  name: string;
  status: Status;
  held: boolean;
  reason: string | null;
  exitCode: number | null;
  pool: string;
  host: string | null;
  attempt: number;
  labels: Readonly<Record<string, string>>;
  cwd: string;
  workspace: string | null;
  total: number;
  done: number;
  failed: number;
  /** How many of its children are of status FAILURE. */
  failures: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
  startedAt: number | null;
  resolvedAt: number | null;
  /** Whether the filter fits this task itself. */
  fits: boolean;
  /** How many tasks the filter fits: itself and those below it. It is shown where that is not 0. */
  fitting: number;
  /** The picture (after a gap in the stream) in which it was told last. */
  picture: number;
}

/** Takes over what a message says of a task. */
export function fill(entry: Entry, view: TaskView): void {
  entry.name = view.name;
  entry.status = view.status;
  entry.held = view.held;
  entry.reason = view.reason;
  entry.exitCode = view.exitCode;
  entry.pool = view.pool;
  entry.host = view.host;
  entry.attempt = view.attempt;
  entry.labels = view.labels;
  entry.cwd = view.cwd;
  entry.workspace = view.workspace;
  entry.total = view.children.total;
  entry.done = view.children.done;
  entry.failed = view.children.failed;
  entry.createdAt = Date.parse(view.createdAt);
  entry.startedAt = view.startedAt === null ? null : Date.parse(view.startedAt);
  entry.resolvedAt = view.resolvedAt === null ? null : Date.parse(view.resolvedAt);
}

/** The run that a task belongs to: itself, where it is one. */
export function runOf(entry: Entry): Entry {
  let top = entry;
  while (top.parent !== null) top = top.parent;
  return top;
}

/** Whether it is where a failure begins: its own command failed, or what it could not run; not only a child that did. */
export function isFailureItself({ status, failed, failures }: Entry): boolean {
  return status === 'FAILURE' && (failed === 0 || failures === 0);
}
