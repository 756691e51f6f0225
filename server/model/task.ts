/**
 * What a task is: the shapes that the whole product speaks of. Everything here is plain data that
 * survives JSON unchanged; the fields marked "index" are rebuilt on load and never stored.
 */

/** Serial number of a task within one state folder. Never reused; orders tasks by submission. */
export type TaskNumber = number;

/** Which ending of an upstream task a dependency waits for (R15). */
export type DependencyKind = 'success' | 'fail' | 'any';

/** How a task ended. `failure` is the command's or a child's; the other names say why it never ran. */
export type Outcome = 'success' | 'failure' | 'failedUpstream' | 'skipped' | 'cancelled';

/** The status words a person sees, as the table in docs/semantics.md defines them. */
export type Status =
  | 'PENDING'
  | 'QUEUED'
  | 'STARTING'
  | 'RUNNING'
  | 'RUNNING_SUBTASKS'
  | 'SUCCESS'
  | 'FAILURE'
  | 'FAILED_UPSTREAM'
  | 'SKIPPED'
  | 'CANCELLED';

/** Room on a host: whole or fractional CPUs, bytes of memory, whole GPUs. */
export interface Shape {
  cpus: number;
  memory: number;
  gpus: number;
}

/** `-N total[%limit]`: `limit` shards at once at most, or null for no limit. */
export interface Shards {
  total: number;
  limit: number | null;
  gang: boolean;
}

/** What was asked for. Fixed at submission, except where `retry` finds the same command again (R29). */
export interface TaskSpec {
  /** The name as given or derived (R8); the id carries a cleaned form of it. */
  name: string;
  /** Program and arguments; bytes that are not UTF-8 are kept as lone surrogates (see protocol/bytes). */
  command: string[];
  /** Absolute path of the working directory at the submitter. */
  directory: string;
  /** Key of the pool: its name, or `name@workspace` where a workspace's configuration defines it. */
  pool: string;
  /** What `--cpus`, `--gpus` and `--memory` put in place of the pool's own shape. */
  shape: Partial<Shape>;
  labels: Record<string, string>;
  /** Lower goes first (R25). */
  priority: number;
  /** Seconds, or null for no limit (R27). */
  timeLimit: number | null;
  /** How many further attempts may follow failed ones (R28). */
  retries: number;
  /** A failure of this task does not fail its parent (R14). */
  allowFailure: boolean;
  /** The submitter waits for this task (`vrun`, `--wait`): its parent is blocked meanwhile (R23). */
  awaited: boolean;
  /** Key into the state's table of environments: what the submitter had changed (R34). */
  environment: string;
  /** `-e` settings of this task, applied after `environment`. */
  variables: Record<string, string>;
  /** `open` where bytes can be typed into its stdin, `terminal` where it runs in one; else it is empty (R36). */
  stdin?: 'open' | 'terminal';
  /** There where it runs in a terminal: what kind, and how large at first. */
  terminal?: Terminal;
  /** Folder whose `.vbatch/config.yaml` applies, or null where there is none. */
  workspace: string | null;
  /** Which of its results come back; all where it is absent. */
  outputs?: string[];
  /** Set on the task that `-N` makes: it runs nothing itself (R20). */
  shards: Shards | null;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  rows: number;
  columns: number;
}

/** A terminal as programs need to know it. */
export interface Terminal extends TerminalSize {
  /** What kind it is, as in TERM. */
  term: string;
}

/** Changes to a host's login environment. Values may hold lone surrogates like `TaskSpec.command`. */
export interface EnvironmentChange {
  set: Record<string, string>;
  unset: string[];
}

/** One dependency as it was written, and what has become of it. */
export interface Dependency {
  kind: DependencyKind;
  /** The text after the flag: a name, a path `a/b`, or a glob. */
  name: string;
  /** The tasks it stands for, or null while no sibling bears the name (R11). */
  upstream: TaskNumber[] | null;
  /** While unbound: the task among whose children the name is awaited, and what is left of it. */
  awaits: { parent: TaskNumber; name: string } | null;
  /** Index: how many of `upstream` are not done, have failed, were skipped. */
  tally: { left: number; failed: number; skipped: number };
}

/** How an attempt's process ended. `exitCode` is 128+N where it died of signal N. */
export interface Exit {
  exitCode: number;
  /** Name without SIG, such as `TERM`, where a signal ended it. */
  signal: string | null;
  /** A sentence where there is more to say than the code: `time limit`, `the directory … does not exist`. */
  reason: string | null;
}

/** The room an attempt holds on its host while its command runs (R22). GPUs by index (R24). */
export interface Allocation {
  host: string;
  cpus: number;
  memory: number;
  gpus: number[];
}

/** One execution of a task's command. Its number is its place in `Task.attempts`, from 1. */
export interface Attempt {
  allocation: Allocation;
  state: 'starting' | 'running' | 'ended' | 'lost';
  /** Why the command is being stopped before its own end, if it is; `gang`: all of its gang starts again. */
  stopping: 'cancelled' | 'time limit' | 'gang' | null;
  placedAt: number;
  startedAt: number | null;
  endedAt: number | null;
  exit: Exit | null;
}

/** Where a task is in its life. Each phase carries only what belongs to it. */
export type Phase =
  | { kind: 'waiting' }
  | { kind: 'queued' }
  | { kind: 'starting' }
  | { kind: 'running' }
  | { kind: 'subtasks' }
  | { kind: 'done'; outcome: Outcome; reason: string | null; at: number };

export interface Task {
  number: TaskNumber;
  /** Path of segments: `RUN/child/grandchild` (R7). */
  id: string;
  /** Last part of the id. */
  segment: string;
  parent: TaskNumber | null;
  /** The task at the top of this tree: itself for a run. */
  run: TaskNumber;
  /** Place among its siblings when its parent is a task made by `-N`, else null. */
  shard: number | null;
  spec: TaskSpec;
  dependencies: Dependency[];
  phase: Phase;
  held: boolean;
  cancelled: boolean;
  attempts: Attempt[];
  /** Failed attempts that count against `retries` since submission or the last `retry`. */
  failures: number;
  /** Attempts lost since submission or the last `retry` (R32). */
  losses: number;
  /** How the task's own command ended for good; null while it may still run. */
  own: Exit | null;
  /** Attempt of the parent in which this task was last submitted (R29). 0 for a run. */
  generation: number;
  /** Keys under which this task was submitted (R4). */
  keys: string[];
  createdAt: number;
  /** Version of its run's workspace when it asked for room last: what it finds on its host at least. */
  needs: number;
  /** There on a run that has a workspace. */
  tree: Tree | null;
  /** What its ends have brought into the workspace. */
  report: TreeReport | null;
  /** Sequence of the last event that changed this task or its children's tally. */
  revision: number;
  /** Index: children in order of submission. */
  children: TaskNumber[];
  /**
   * Index: how many children are done, how many of those count as failed (R14), how many that the
   * present attempt itself waits for are not done (R23), and, for a task made by `-N`, how many shards
   * are let go.
   */
  tally: { done: number; failed: number; awaited: number; active: number };
  /** Index: the dependencies of other tasks on this one, as task and place in its `dependencies`. */
  dependents: { task: TaskNumber; dependency: number }[];
}

/**
 * The workspace of a run: the folder that it was submitted from, and what the run has made of it since. Manifests
 * are named by the hashes of their texts; what those are is kept outside of the state.
 */
export interface Tree {
  /** Absolute path of the folder on this machine. */
  readonly folder: string;
  /** What it held when the run was submitted. */
  readonly first: string;
  /** What the run has by now. */
  readonly manifest: string;
  /** How often that has changed. */
  readonly version: number;
  /** What the run and the folder agreed on last. */
  readonly landed: string;
  /** By host, what the run's folder there holds. */
  readonly hosts: Readonly<Record<string, string>>;
  /** By host, the version of which the folder there has everything. */
  readonly versions: Readonly<Record<string, number>>;
  /** Contents that the run has not any more at that path, because a later end won. The latest last. */
  readonly lost: readonly LostContent[];
  /** What tasks have left on their hosts, because it was not asked for or too large. */
  readonly left: readonly LeftFile[];
}

export interface LostContent {
  path: string;
  /** Null for a link. */
  hash: string | null;
  size: number;
  /** The task whose end won. */
  by: TaskNumber;
}

export interface LeftFile {
  host: string;
  /** Absolute, on the host. */
  place: string;
  path: string;
  /** Bytes. */
  size: number;
}

/** What a task's end has brought. */
export interface TreeReport {
  files: number;
  bytes: number;
  removed: number;
  /** What a person should know, as sentences; the first of them, where there are very many. */
  notes: string[];
}
