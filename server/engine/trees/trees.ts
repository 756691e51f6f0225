/** The workspaces of runs: taken at submission, delivered to hosts, and brought up to date by what tasks make. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Configuration, localHost } from '../../config/configuration.ts';
import type { SubmittedTree } from '../../model/events.ts';
import type { Task, TaskNumber } from '../../model/task.ts';
import { treeOf } from '../../model/tree.ts';
import { countText, sizeText } from '../../protocol/quantities.ts';
import type { CheckoutAnswer, RunDiff, RunFiles } from '../../protocol/runs.ts';
import { ask } from '../../travel/ask.ts';
import { tidyFetched } from '../../travel/fetch.ts';
import { callForLines } from '../../travel/script.ts';
import { diff, emptyManifest } from '../../workspace/manifest.ts';
import { workspaceRoot } from '../../workspace/root.ts';
import type { ContentStore } from '../../workspace/store.ts';
import type { Note } from '../../workspace/walk.ts';
import type { Core } from '../core.ts';
import type { Rooms } from '../rooms.ts';
import { Absorbing } from './absorbing.ts';
import { Landings } from './landings.ts';
import { Manifests } from './manifests.ts';
import { TreeOnHost } from './onHost.ts';
import { keepFresh, type TreeParts } from './parts.ts';
import { type Places, placeHere, placeThere } from './places.ts';
import { runDiff } from './runDiff.ts';
import { checkOut, runFiles } from './runFiles.ts';
import { Snapshots } from './snapshots.ts';

export interface TreesOptions {
  core: Core;
  rooms: Rooms;
  /** Folder of the server for contents and what it takes to find them. */
  folder: string;
  /** Opens the content store, when a workspace is first needed. */
  open: () => Promise<ContentStore>;
  moved: () => void;
  log: (message: string) => void;
}

/** What is only made where a workspace travels: a server that has no such host pays nothing. */
interface Machinery {
  readonly parts: TreeParts;
  readonly landings: Landings;
  readonly snapshots: Snapshots;
  readonly absorbing: Absorbing;
  readonly onHosts: Map<string, TreeOnHost>;
}

/** After so many entries of manifests were saved, those that are not needed any more are removed. */
const mostSaved = 1_000_000;

/** So much is said of how a workspace was taken. */
const mostNotes = 3;

/** Where a task is to run, and what it is told of its workspace. */
export interface Place {
  directory: string;
  /** The folder of the workspace there; null where the run has none. */
  workspace: string | null;
}

/** The hashes of all that runs name: manifests, and what is in them. */
async function neededContents({ core: { state }, manifests }: TreeParts): Promise<Set<string>> {
  const needed = new Set<string>();
  for (const number of [...state.runs]) {
    const tree = state.tasks.get(number)?.tree;
    if (!tree) continue;
    for (const { hash } of tree.lost) if (hash !== null) needed.add(hash);
    for (const hash of [tree.first, tree.manifest, tree.landed, ...Object.values(tree.hosts)]) {
      if (needed.has(hash)) continue;
      needed.add(hash);
      for (const entry of (await manifests.load(hash)).values()) {
        if (entry.kind === 'file') needed.add(entry.hash);
      }
    }
  }
  return needed;
}

function treeOnHost(machinery: Machinery, run: TaskNumber, host: string): TreeOnHost {
  const { parts, landings, onHosts } = machinery;
  const key = `${run} ${host}`;
  let found = onHosts.get(key);
  if (!found) {
    found = new TreeOnHost(parts, landings, run, host, (other) => treeOnHost(machinery, other, host));
    onHosts.set(key, found);
  }
  return found;
}

function amount(entries: readonly object[]): string {
  const sizes = entries.flatMap((entry) => ('size' in entry ? [Number(entry.size)] : []));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return `${countText(sizes.length)} files, ${sizeText(bytes)}`;
}

/** The workspace of a run that is being submitted. */
export interface Snapshot {
  /** Null where nothing of the folder travels. */
  tree: SubmittedTree | null;
  /** What a person should know. */
  notes: string[];
  /** To be called when the run is one, or never will be: till then nothing of it is removed. */
  release: () => void;
}

export class Trees {
  private opening: Promise<Machinery> | null = null;

  constructor(private readonly options: TreesOptions) {}

  /** Opens what snapshots take, where there is a host that files travel to: else the first submission waits for it. */
  warmUp(): void {
    const { rooms, log } = this.options;
    const isFar = (host: string) => host !== localHost && rooms.settingsOf(host, null)?.isShared === false;
    if (![...rooms.hosts.keys()].some(isFar)) return;
    this.machinery().catch((error: Error) => log(`opening the contents of workspaces: ${error.message}`));
  }

  /** The workspace of a run that is submitted here, and what a person should know; null where none will travel. */
  async snapshot(
    { directory, opened }: { directory: string; opened: readonly string[] },
    configuration: Configuration,
  ): Promise<Snapshot | null> {
    if (![...configuration.hosts.values()].some(({ ssh, isShared }) => ssh !== null && !isShared))
      return null;
    const root = await workspaceRoot(directory, opened, homedir());
    if (root.folder === null) return { tree: null, notes: [`${directory} ${root.why}`], release: () => {} };
    const { snapshots, parts } = await this.machinery();
    const release = keepFresh(parts);
    try {
      const { manifest, notes } = await snapshots.take(root.folder, configuration.defaults.git);
      const hash = await parts.manifests.save(manifest);
      await parts.store.sync();
      const sentence = ({ path, text }: Note) => `${path} ${text}`;
      const taken = notes.filter(({ isTaken }) => isTaken).slice(0, mostNotes);
      const tree = {
        folder: root.folder,
        manifest: hash,
        ...(taken.length > 0 && { notes: taken.map(sentence) }),
      };
      return { tree, notes: notes.slice(0, mostNotes).map(sentence), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Where a task runs on a host. */
  placeOn(task: Task, host: string): Place {
    const tree = treeOf(this.options.core.state, task);
    const places = this.placesOn(task, host);
    return {
      directory: placeThere(places, task.spec.directory),
      workspace: tree && placeThere(places, tree.folder),
    };
  }

  /** A directory of a host where a task runs, as it is called here. */
  directoryHere(task: Task, directory: string): string {
    const host = task.attempts.at(-1)?.allocation.host ?? localHost;
    return placeHere(this.placesOn(task, host), directory);
  }

  private placesOn(task: Task, host: string): Places {
    if (host === localHost) return [];
    const settings = this.options.rooms.settingsOf(host, task.spec.workspace);
    if (settings?.isShared) return settings.paths;
    const tree = treeOf(this.options.core.state, task);
    const workspace = this.options.rooms.hosts.get(host)?.host.workspace;
    return tree && workspace ? [[tree.folder, `${workspace.folder}/runs/${task.run}/tree`]] : [];
  }

  /** Whether the files of a task's run have to be brought to a host. */
  private travelsTo(task: Task, host: string): boolean {
    if (host === localHost || treeOf(this.options.core.state, task) === null) return false;
    return this.options.rooms.settingsOf(host, task.spec.workspace)?.isShared === false;
  }

  /** Resolves when a task's files are on the host; null where they are already. Throws as `deliver` does. */
  prepare(task: Task, host: string): Promise<void> | null {
    if (!this.travelsTo(task, host)) return null;
    const tree = treeOf(this.options.core.state, task);
    if ((tree?.versions[host] ?? -1) >= task.needs) return null;
    return this.onHost(task.run, host).then((onHost) => onHost.prepare(task.number));
  }

  /** Takes what a task has made that has ended; null where nothing is to be taken. Throws as `TreeOnHost` does. */
  collectAfter(task: Task, host: string): Promise<void> | null {
    const tree = treeOf(this.options.core.state, task);
    if (tree === null) return null;
    if (host === localHost) return this.machinery().then(({ absorbing }) => absorbing.takeAfter(task));
    if (!this.travelsTo(task, host) || tree.hosts[host] === undefined) return null;
    return this.onHost(task.run, host).then(async (onHost) => {
      await onHost.collectAfter(task.number);
      this.tidy();
    });
  }

  /** Takes what tasks of its run have made on this machine before a task calls for another one. */
  async absorb(task: Task): Promise<void> {
    if (treeOf(this.options.core.state, task) === null) return;
    await (await this.machinery()).absorbing.take(task);
  }

  /** Whether a task called from here may run where its files have to be brought. */
  mayTravel(task: Task, hosts: readonly string[]): boolean {
    return hosts.some((host) => this.travelsTo(task, host));
  }

  /** What would be sent to each of these hosts if a task of this workspace started there, as sentences. */
  async preview(
    { folder, manifest: hash }: { folder: string; manifest: string },
    hosts: readonly string[],
    workspace: string | null,
  ): Promise<string[]> {
    const { parts } = await this.machinery();
    const manifest = await parts.manifests.load(hash);
    const travelling = hosts.filter((host) => parts.rooms.settingsOf(host, workspace)?.isShared === false);
    const notes = [`${folder} travels: ${amount([...manifest.values()])}`];
    for (const host of travelling.filter((name) => name !== localHost)) {
      const there = parts.rooms.hosts.get(host)?.host.workspace;
      if (!there) {
        notes.push(`${host} is out of reach: what it has already is not known`);
        continue;
      }
      const lacking = await ask(there, diff(emptyManifest, manifest));
      const sent = new Set(lacking.map((each) => each.hash));
      const largest = [...manifest]
        .flatMap(([path, entry]) =>
          entry.kind === 'file' && sent.has(entry.hash) ? [{ path, ...entry }] : [],
        )
        .toSorted((a, b) => b.size - a.size)
        .slice(0, 3)
        .map(({ path, size }) => `${path} (${sizeText(size)})`);
      notes.push(
        lacking.length === 0
          ? `${host} has all of it`
          : `to ${host} would be sent ${amount(lacking)}; the largest: ${largest.join(', ')}`,
      );
    }
    return notes;
  }

  async files(task: Task, all: boolean): Promise<RunFiles> {
    return runFiles((await this.machinery()).parts, task, all);
  }

  async diff(task: Task, other: Task | null, withContents: boolean): Promise<RunDiff> {
    const { parts, snapshots } = await this.machinery();
    return runDiff(parts, snapshots, task, other, withContents);
  }

  async checkOut(task: Task, directory: string, isFirst: boolean): Promise<CheckoutAnswer> {
    return checkOut((await this.machinery()).parts, task, directory, isFirst);
  }

  /**
   * Forgets runs that were removed: what hosts have of them is removed there, as far as those can be reached, and
   * contents that no other run needs are removed here.
   */
  async forget(removed: readonly { run: TaskNumber; hosts: readonly string[] }[]): Promise<void> {
    if (removed.length === 0) return;
    const { landings, absorbing, onHosts, parts } = await this.machinery();
    const runs = removed.map(({ run }) => run);
    for (const [
      host,
      {
        host: { workspace },
      },
    ] of parts.rooms.hosts) {
      const there = removed.filter(({ hosts }) => hosts.includes(host)).map(({ run }) => String(run));
      if (workspace && there.length > 0) await callForLines(workspace, { words: ['remove', ...there] });
    }
    for (const run of runs) {
      landings.forget(run);
      absorbing.forget(run);
      for (const host of parts.rooms.hosts.keys()) onHosts.delete(`${run} ${host}`);
    }
    await this.collectGarbage();
  }

  /** Every change of a large workspace leaves a manifest behind. */
  private tidy(): void {
    void this.machinery().then(async ({ parts: { manifests } }) => {
      if (manifests.saved < mostSaved) return;
      await this.collectGarbage().catch((error: Error) =>
        this.options.log(`removing contents: ${error.message}`),
      );
    });
  }

  /** Removes contents that no run needs, and manifests that others have taken the place of. */
  private async collectGarbage(): Promise<void> {
    const { parts } = await this.machinery();
    const { store, manifests, marks } = parts;
    manifests.saved = 0;
    const mark = Math.min(store.mark(), ...marks);
    const needed = await neededContents(parts);
    await store.collect(mark, (hash) => needed.has(hash));
  }

  private async onHost(run: TaskNumber, host: string): Promise<TreeOnHost> {
    return treeOnHost(await this.machinery(), run, host);
  }

  private machinery(): Promise<Machinery> {
    if (!this.opening) {
      const opening = this.make();
      this.opening = opening;
      // After a failure the next one tries again.
      opening.catch(() => {
        this.opening = null;
      });
    }
    return this.opening;
  }

  private async make(): Promise<Machinery> {
    const { core, rooms, folder, open, moved, log } = this.options;
    const store = await open();
    store.whenFull = () => this.collectGarbage();
    const manifests = new Manifests(store);
    const incoming = join(folder, 'incoming');
    await tidyFetched(incoming);
    const parts: TreeParts = {
      core,
      rooms,
      store,
      manifests,
      incoming,
      marks: new Set(),
      underWay: new Map(),
      moved,
      log,
    };
    const landings = new Landings(parts);
    const snapshots = new Snapshots(store, join(folder, 'hashes'));
    const absorbing = new Absorbing(parts, landings, snapshots);
    return { parts, landings, snapshots, absorbing, onHosts: new Map() };
  }
}
