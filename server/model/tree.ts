/**
 * The workspace of a run: the folder that it was submitted from, and what the run has made of it since. Manifests
 * are named by the hashes of their texts; what those are is kept outside of the state.
 */
import type { State } from './state.ts';
import type { Task, TaskNumber } from './task.ts';

export interface Tree {
  /** Absolute path of the folder on this machine. */
  readonly folder: string;
  /** What it held when the run was submitted. */
  readonly first: string;
  /** What the run has by now. */
  readonly manifest: string;
  /** What the run and the folder agreed on last. */
  readonly landed: string;
  /** By host, what the run's folder there holds. */
  readonly hosts: Readonly<Record<string, string>>;
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

/** Most entries of each kind that are kept of a run. */
const mostKept = 200;

export function newTree({ folder, manifest }: { folder: string; manifest: string }): Tree {
  return { folder, first: manifest, manifest, landed: manifest, hosts: {}, lost: [], left: [] };
}

/** The workspace of a task's run, or null. */
export function treeOf(state: State, task: Task): Tree | null {
  return state.tasks.get(task.run)?.tree ?? null;
}

/** A run's folder on a host holds this now. */
export function delivered(
  state: State,
  {
    run: number,
    host,
    manifest,
    from,
  }: { run: TaskNumber; host: string; manifest: string; from?: TaskNumber },
): void {
  const giver = from === undefined ? undefined : state.tasks.get(from);
  if (giver?.tree) {
    state.touch(giver);
    const { [host]: _given, ...hosts } = giver.tree.hosts;
    giver.tree = { ...giver.tree, hosts };
  }
  const run = state.tasks.get(number);
  if (!run?.tree) return;
  state.touch(run);
  run.tree = { ...run.tree, hosts: { ...run.tree.hosts, [host]: manifest } };
}

export function collected(state: State, event: Collected): void {
  const task = state.tasks.get(event.task);
  const run = task && state.tasks.get(task.run);
  if (task === undefined || !run?.tree) return;
  state.touch(run);
  const { manifest, landed, host } = event;
  const { tree } = run;
  const replaced = new Set(event.left.map(({ place }) => place));
  run.tree = {
    ...tree,
    manifest,
    landed,
    hosts: host === null ? tree.hosts : { ...tree.hosts, [host.name]: host.holds },
    lost: [...tree.lost, ...event.lost].slice(-mostKept),
    left: [...tree.left.filter(({ place }) => !replaced.has(place)), ...event.left].slice(-mostKept),
  };
  state.touch(task);
  task.report = joined(task.report, event.report);
}

function joined(before: TreeReport | null, report: TreeReport): TreeReport {
  if (before === null) return report;
  return {
    files: before.files + report.files,
    bytes: before.bytes + report.bytes,
    removed: before.removed + report.removed,
    notes: [...new Set([...before.notes, ...report.notes])].slice(-mostKept),
  };
}
