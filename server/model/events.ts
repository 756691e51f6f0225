/**
 * Everything that can happen. State changes only by one of these, through `apply`; replaying them in
 * order gives the same state again. `at` is the time of the event, milliseconds since the epoch.
 */
import type {
  Allocation,
  DependencyKind,
  EnvironmentChange,
  Exit,
  LeftFile,
  LostContent,
  TaskNumber,
  TaskSpec,
  TreeReport,
} from './task.ts';

/** A dependency as submission resolved it. */
export interface ResolvedDependency {
  kind: DependencyKind;
  name: string;
  upstream: TaskNumber[] | null;
  awaits: { parent: TaskNumber; name: string } | null;
}

export interface Submitted {
  type: 'submitted';
  at: number;
  /** Number of the new task. The shards of `-N n` take the n numbers after it. */
  number: TaskNumber;
  segment: string;
  parent: TaskNumber | null;
  spec: TaskSpec;
  dependencies: ResolvedDependency[];
  held: boolean;
  key: string | null;
  /** The workspace of a run that has one. */
  tree?: SubmittedTree;
}

export interface SubmittedTree {
  folder: string;
  manifest: string;
  /** What a person should know of how it was taken, as sentences. */
  notes?: string[];
}

/** A child that an earlier attempt of its parent had submitted is submitted again (R29). */
export interface Claimed {
  type: 'claimed';
  at: number;
  task: TaskNumber;
  spec: TaskSpec;
  dependencies: ResolvedDependency[];
  key: string | null;
}

export interface Placement {
  task: TaskNumber;
  allocation: Allocation;
}

/** The folder of a run on a host holds this now. */
export interface Delivered {
  type: 'delivered';
  at: number;
  run: TaskNumber;
  host: string;
  manifest: string;
  /** The version of which it has everything; null where that is none. */
  version: number | null;
  /** The run whose folder it was till now. */
  from?: TaskNumber;
}

/** What tasks on a host, or on this machine, have made of a run's workspace. */
export interface Collected {
  type: 'collected';
  at: number;
  /** Task whose end or call made us look. */
  task: TaskNumber;
  manifest: string;
  landed: string;
  /** What the folder there holds; null where they ran in the folder itself. */
  host: { name: string; holds: string } | null;
  report: TreeReport;
  lost: LostContent[];
  left: LeftFile[];
}

export type TaskEvent =
  | { type: 'environment'; at: number; key: string; change: EnvironmentChange }
  | Submitted
  | Claimed
  | { type: 'placed'; at: number; placements: Placement[] }
  | { type: 'started'; at: number; task: TaskNumber; attempt: number }
  | { type: 'ended'; at: number; task: TaskNumber; attempt: number; exit: Exit }
  | { type: 'lost'; at: number; task: TaskNumber; attempt: number }
  | Delivered
  | Collected
  | { type: 'timedOut'; at: number; task: TaskNumber; attempt: number }
  | { type: 'cancelled'; at: number; task: TaskNumber }
  | { type: 'held'; at: number; task: TaskNumber }
  | { type: 'released'; at: number; task: TaskNumber }
  | { type: 'retried'; at: number; task: TaskNumber }
  | { type: 'pruned'; at: number; runs: TaskNumber[] };

/** What must be done on a host once the event that ordered it is durable. */
export type Effect =
  | { type: 'start'; task: TaskNumber; attempt: number }
  | { type: 'stop'; task: TaskNumber; attempt: number }
  | { type: 'forget'; attempts: { host: string; task: TaskNumber; attempt: number }[] };
