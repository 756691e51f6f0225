/** How the workspace of a run changes. */
import type { Collected, Delivered } from './events.ts';
import type { State } from './state.ts';
import type { Task, Tree, TreeReport } from './task.ts';

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
