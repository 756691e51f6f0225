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

/** Most entries of each kind that are kept of a run. */
const mostKept = 200;

export function newTree({ folder, manifest }: { folder: string; manifest: string }): Tree {
  return {
    folder,
    first: manifest,
    manifest,
    version: 0,
    landed: manifest,
    hosts: {},
    versions: {},
    lost: [],
    left: [],
  };
}

/** The version of the workspace of a task's run. */
export function versionNow(state: State, task: Task): number {
  return treeOf(state, task)?.version ?? 0;
}

/** The workspace of a task's run, or null. */
export function treeOf(state: State, task: Task): Tree | null {
  return state.tasks.get(task.run)?.tree ?? null;
}

export function delivered(state: State, event: Delivered): void {
  const { run: number, host, manifest, version, from } = event;
  const giver = from === undefined ? undefined : state.tasks.get(from);
  if (giver?.tree) {
    state.touch(giver);
    const { [host]: _holds, ...hosts } = giver.tree.hosts;
    const { [host]: _version, ...versions } = giver.tree.versions;
    giver.tree = { ...giver.tree, hosts, versions };
  }
  const run = state.tasks.get(number);
  if (!run?.tree) return;
  state.touch(run);
  const { tree } = run;
  run.tree = {
    ...tree,
    hosts: { ...tree.hosts, [host]: manifest },
    versions: version === null ? tree.versions : { ...tree.versions, [host]: version },
  };
}

export function collected(state: State, event: Collected): void {
  const task = state.tasks.get(event.task);
  const run = task && state.tasks.get(task.run);
  if (task === undefined || !run?.tree) return;
  state.touch(run);
  const { manifest, landed, host } = event;
  const { tree } = run;
  const version = tree.version + (manifest === tree.manifest ? 0 : 1);
  const replaced = new Set(event.left.map(({ place }) => place));
  run.tree = {
    ...tree,
    manifest,
    version,
    landed,
    versions: host?.holds === manifest ? { ...tree.versions, [host.name]: version } : tree.versions,
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
