/** The folder of one run on one host: brought up to date before tasks start there, looked at when they have ended. */
import type { HostWorkspace } from '../../hosts/host.ts';
import type { LeftFile, Task, TaskNumber } from '../../model/task.ts';
import { VbatchError } from '../../protocol/errors.ts';
import { countText, sizeText } from '../../protocol/quantities.ts';
import { deliver } from '../../travel/deliver.ts';
import { fetchContents } from '../../travel/fetch.ts';
import type { Wanted } from '../../travel/fetchLarge.ts';
import { look } from '../../travel/look.ts';
import type { Progress } from '../../travel/progress.ts';
import { callForLines } from '../../travel/script.ts';
import { UnderWay } from '../../travel/underWay.ts';
import { apply, type Change, diff, type Manifest } from '../../workspace/manifest.ts';
import { foldersOf } from '../../workspace/paths.ts';
import { Coalesced, Turns } from './coalesced.ts';
import type { Landings } from './landings.ts';
import { type Choice, choose } from './outputs.ts';
import { keepFresh, type TreeParts, treeOfRun } from './parts.ts';
import { pathWithin } from './places.ts';

/** How often it is looked again because files changed while they were fetched. */
const tries = 5;

export class TreeOnHost {
  private readonly turns = new Turns();
  /** Tasks that wait for the folder, or whose results are being fetched. */
  private readonly waiting = new Set<TaskNumber>();
  private readonly ended = new Set<TaskNumber>();
  private readonly deliveries = new Coalesced(() => this.turns.take(() => this.deliver()));
  private readonly collections = new Coalesced(() => this.turns.take(() => this.collect()));

  constructor(
    private readonly parts: TreeParts,
    private readonly landings: Landings,
    private readonly run: TaskNumber,
    private readonly host: string,
    private readonly others: (run: TaskNumber) => TreeOnHost,
  ) {}

  /** Brings it up to date for a task. Throws as `deliver` does. */
  async prepare(task: TaskNumber): Promise<void> {
    this.waiting.add(task);
    try {
      await this.deliveries.run();
    } finally {
      this.waiting.delete(task);
      this.tell([task], null);
    }
  }

  /** Takes what a task has made there, which has ended. Throws `unreachable`, `refused` or `diskFull`. */
  async collectAfter(task: TaskNumber): Promise<void> {
    this.ended.add(task);
    try {
      await this.collections.run();
    } finally {
      this.ended.delete(task);
      this.tell([task], null);
    }
  }

  private get workspace(): HostWorkspace {
    const workspace = this.parts.rooms.hosts.get(this.host)?.host.workspace;
    if (!workspace) throw new VbatchError('unreachable', `${this.host} is out of reach`);
    return workspace;
  }

  private tell(tasks: Iterable<TaskNumber>, text: string | null): void {
    for (const task of tasks) {
      if (text === null) this.parts.rooms.moves.delete(task);
      else this.parts.rooms.moves.set(task, text);
    }
    this.parts.moved();
  }

  private async deliver(): Promise<void> {
    const { manifests, store } = this.parts;
    const tree = treeOfRun(this.parts, this.run);
    if (tree.versions[this.host] === tree.version) return;
    const before = tree.hosts[this.host] ?? (await this.adopt());
    const { workspace, run } = this;
    const wanted = await manifests.load(tree.manifest);
    const holds = before === undefined ? null : await manifests.load(before);
    const other = holds ? undefined : this.latest();
    const similar = other === undefined ? null : await manifests.load(other);
    const tell = (progress: Progress) => this.tell(this.waiting, progressText('sending', progress));
    const changed = holds && this.othersRun() ? (await look(workspace, run, holds)).changes : [];
    const isBusy = busyPaths(changed);
    const underWay = this.parts.underWay.get(this.host) ?? new UnderWay();
    this.parts.underWay.set(this.host, underWay);
    try {
      await deliver({ workspace, store, run, holds, similar, wanted, underWay, isBusy, tell });
    } catch (error) {
      if (!holds || !isGone(error)) throw error;
      await deliver({ workspace, store, run, holds: null, wanted, underWay, isBusy: () => false, tell });
    }
    const left = diff(holds ?? wanted, wanted).filter(({ path }) => !isBusy(path));
    const now = holds && changed.length > 0 ? apply(holds, left) : wanted;
    const release = keepFresh(this.parts);
    try {
      const manifest = now === wanted ? tree.manifest : await this.saved(now);
      const { core } = this.parts;
      if (!core.state.tasks.get(run)?.tree) return;
      const { version } = tree;
      core.commit({ type: 'delivered', at: core.time(), run, host: this.host, manifest, version });
    } finally {
      release();
    }
  }

  /**
   * Takes over the folder of an earlier run of the same folder that is done, if there is one, so that only what
   * has changed since then is sent and written. Gives what it holds.
   */
  private async adopt(): Promise<string | undefined> {
    const { core } = this.parts;
    for (const from of [...core.state.runs].reverse()) {
      if (this.offer(from) === null) continue;
      const adopted = await this.others(from).give(this.run);
      if (adopted !== null) return adopted;
      break;
    }
    return undefined;
  }

  /** What the latest run of the same folder holds there. */
  private latest(): string | undefined {
    const { state } = this.parts.core;
    const { folder } = treeOfRun(this.parts, this.run);
    for (const number of [...state.runs].reverse()) {
      const tree = state.tasks.get(number)?.tree;
      if (number === this.run || tree?.folder !== folder) continue;
      const holds = tree.hosts[this.host];
      if (holds !== undefined) return holds;
    }
    return undefined;
  }

  /** What a run's folder holds that may be taken over; null where it may not. */
  private offer(from: TaskNumber): string | null {
    const { state } = this.parts.core;
    const run = state.tasks.get(from);
    if (from === this.run || !run?.tree || run.phase.kind !== 'done') return null;
    const isKept = run.tree.left.some(({ host }) => host === this.host);
    if (isKept || run.tree.folder !== treeOfRun(this.parts, this.run).folder) return null;
    return run.tree.hosts[this.host] ?? null;
  }

  /** Hands the folder over to another run, unless something has been written there since its last task ended. */
  private give(to: TaskNumber): Promise<string | null> {
    return this.turns.take(async () => {
      const { core, manifests } = this.parts;
      const { workspace, host, run } = this;
      const manifest = this.others(to).offer(run);
      if (manifest === null) return null;
      const { changes } = await look(workspace, run, await manifests.load(manifest));
      if (changes.length > 0 || this.others(to).offer(run) !== manifest) return null;
      // Said first: whatever comes of it, nobody takes the folder for that of this run any more.
      core.commit({ type: 'delivered', at: core.time(), run: to, host, manifest, version: null, from: run });
      await core.settled();
      await callForLines(workspace, { words: ['adopt', String(run), String(to)] });
      return manifest;
    });
  }

  private async saved(manifest: Manifest): Promise<string> {
    const hash = await this.parts.manifests.save(manifest);
    await this.parts.store.sync();
    return hash;
  }

  /** Whether any task of the run is at work there now. */
  private othersRun(except: ReadonlySet<TaskNumber> = new Set()): boolean {
    const { state } = this.parts.core;
    const tasks = [...(state.holdings.get(this.host)?.tasks.keys() ?? [])].map((number) =>
      state.task(number),
    );
    return tasks.some(
      ({ number, run, phase }) => run === this.run && phase.kind === 'running' && !except.has(number),
    );
  }

  private async collect(): Promise<void> {
    const release = keepFresh(this.parts);
    try {
      await this.collectAll();
    } finally {
      release();
    }
  }

  private async collectAll(): Promise<void> {
    const { core, manifests } = this.parts;
    const ended = [...this.ended];
    const [first] = ended;
    if (first === undefined) return;
    const before = treeOfRun(this.parts, this.run).hosts[this.host];
    if (before === undefined) return;
    const holds = await manifests.load(before);
    const { workspace, run } = this;
    const isBusy = this.othersRun(new Set(ended));
    const { changes, notes, left, isQuiet } = await this.fetch(workspace, holds, ended, isBusy);
    if (isQuiet) return;
    if (changes.length > 0 || notes.length > 0 || left.length > 0) {
      await this.landings.alone(run, () =>
        this.landings.land(run, { task: first, holds, changes, host: this.host, notes, left }),
      );
      await core.settled();
    }
    // What it costs to lose this is to look at the same files again.
    await callForLines(workspace, { words: ['accept', String(run), isBusy ? '1' : '0'] });
  }

  private async fetch(
    workspace: HostWorkspace,
    holds: Manifest,
    ended: readonly TaskNumber[],
    isBusy: boolean,
  ) {
    const { store, incoming } = this.parts;
    const tell = (progress: Progress) => this.tell(ended, progressText('fetching', progress));
    for (let again = 1; ; again++) {
      const seen = await look(workspace, this.run, holds, isBusy);
      const { come, stay } = choose(seen.changes, holds, this.choiceOf(ended));
      const files = come.flatMap(({ path, entry }): Wanted[] =>
        entry?.kind === 'file' ? [{ path, entry, before: holds.get(path) }] : [],
      );
      if (await fetchContents({ workspace, store, folder: incoming, run: this.run, tell }, files)) {
        const left = this.leftFiles(workspace, stay);
        const { isQuiet } = seen;
        return { changes: come, left, notes: [...seen.notes, ...leftNotes(left)], isQuiet };
      }
      if (again === tries) throw new VbatchError('refused', 'files there changed whenever they were fetched');
    }
  }

  /** What is to come back where several tasks have ended: all that any of them asks for. */
  private choiceOf(ended: readonly TaskNumber[]): Choice {
    const { core, rooms } = this.parts;
    const tasks = ended.flatMap((number): Task[] => {
      const task = core.state.tasks.get(number);
      return task ? [task] : [];
    });
    const { folder } = treeOfRun(this.parts, this.run);
    const outputs = tasks.map(({ spec }) =>
      spec.outputs ? { globs: spec.outputs, directory: pathWithin(folder, spec.directory) } : null,
    );
    const most = Math.max(...tasks.map(({ spec }) => rooms.maxOutput(spec.workspace)));
    return { outputs: outputs.includes(null) ? null : outputs.filter((each) => each !== null), most };
  }

  private leftFiles({ folder }: HostWorkspace, stay: readonly Change[]): LeftFile[] {
    return stay.flatMap(({ path, entry }) =>
      entry?.kind === 'file'
        ? [{ host: this.host, place: `${folder}/runs/${this.run}/tree/${path}`, path, size: entry.size }]
        : [],
    );
  }
}

/** Whether a path may not be touched, because a task has changed it or what it is in. */
function busyPaths(changes: readonly Change[]): (path: string) => boolean {
  const changed = new Map(changes.map(({ path, entry }) => [path, entry]));
  const above = new Set(changes.flatMap(({ path }) => [...foldersOf(path)]));
  return (path) => {
    if (changed.has(path) || above.has(path)) return true;
    return [...foldersOf(path)].some(
      (folder) => changed.has(folder) && changed.get(folder)?.kind !== 'folder',
    );
  };
}

function isGone(error: unknown): boolean {
  return error instanceof VbatchError && error.code === 'refused' && error.message === 'its folder is gone';
}

function leftNotes(left: readonly LeftFile[]): string[] {
  const [first] = left;
  if (!first) return [];
  const bytes = left.reduce((sum, { size }) => sum + size, 0);
  const what = left.length === 1 ? `${first.path} stays` : `${left.length} files stay`;
  return [`${what} on ${first.host}, ${sizeText(bytes)}: \`vctl run files\` says where`];
}

/** `sending 312 of 1,204 files, 48 MB of 210 MB`. */
function progressText(word: string, { files, allFiles, bytes, allBytes }: Progress): string {
  return `${word} ${countText(files)} of ${countText(allFiles)} files, ${sizeText(bytes)} of ${sizeText(allBytes)}`;
}
