/** Takes what tasks on this machine have made, which work in the folder itself, into their run's workspace. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task, TaskNumber } from '../../model/task.ts';
import { systemPath } from '../../protocol/bytes.ts';
import { VbatchError } from '../../protocol/errors.ts';
import type { Found } from '../../workspace/disk.ts';
import { errorCode } from '../../workspace/failures.ts';
import { type Change, diff, type Entry, sameEntry } from '../../workspace/manifest.ts';
import { isGitPath, parentOf, within } from '../../workspace/paths.ts';
import { stampOf } from '../../workspace/stamps.ts';
import { Coalesced } from './coalesced.ts';
import type { Landings } from './landings.ts';
import { isWithin, localWork, type Stretch } from './localWork.ts';
import { keepFresh, type TreeParts, treeOfRun } from './parts.ts';
import type { Snapshots } from './snapshots.ts';

export class Absorbing {
  private readonly rounds = new Map<TaskNumber, Coalesced<void>>();
  /** By run and path, how ignored files looked that held what the run has there, with its hash. */
  private readonly unchanged = new Map<TaskNumber, Map<string, string>>();

  constructor(
    private readonly parts: TreeParts,
    private readonly landings: Landings,
    private readonly snapshots: Snapshots,
  ) {}

  /** Takes all that has been made by now. Throws as `scan` does, and `diskFull`. */
  take(task: Task): Promise<void> {
    let rounds = this.rounds.get(task.run);
    if (!rounds) {
      rounds = new Coalesced(() => this.landings.alone(task.run, () => this.absorbKept(task)));
      this.rounds.set(task.run, rounds);
    }
    return rounds.run();
  }

  /** As `take`, for a task that has ended: where the folder cannot be read, its end is one all the same. */
  async takeAfter(task: Task): Promise<void> {
    try {
      await this.take(task);
    } catch (error) {
      if (!(error instanceof VbatchError) || error.code === 'diskFull' || error.code === 'stateFailed')
        throw error;
      const note = `what it made here is not known to hosts: ${error.message}`;
      await this.landings.alone(task.run, async () => {
        const holds = await this.parts.manifests.load(treeOfRun(this.parts, task.run).landed);
        const outcome = { task: task.number, holds, changes: [], host: null, notes: [note], left: [] };
        await this.landings.land(task.run, outcome);
      });
    }
  }

  /** Forgets a run that was removed. */
  forget(run: TaskNumber): void {
    this.rounds.delete(run);
    this.unchanged.delete(run);
  }

  private async absorbKept(task: Task): Promise<void> {
    const release = keepFresh(this.parts);
    try {
      await this.absorb(task);
    } finally {
      release();
    }
  }

  private async absorb({ number, run }: Task): Promise<void> {
    const { core, manifests } = this.parts;
    const { state } = core;
    const root = state.tasks.get(run);
    if (!root?.tree) return;
    const { folder, landed } = treeOfRun(this.parts, run);
    const base = await manifests.load(landed);
    const { manifest, notes } = await this.snapshots.take(folder, false);
    // What was put aside here for a person is no task's.
    const found = diff(base, manifest).filter(({ path }) => !isAside(path, root.id) && !isGitPath(path));
    if (found.length === 0) return;
    const stretches = localWork(state, root, core.time());
    const looks = await this.looksOfIgnored(folder, found);
    const unchanged = this.unchanged.get(run) ?? new Map<string, string>();
    this.unchanged.set(run, unchanged);
    const changes: Change[] = [];
    for (const change of found) {
      const { path } = change;
      const before = base.get(path);
      const look = looks.get(path);
      const key = look && before?.kind === 'file' ? `${look} ${before.hash}` : null;
      if (key !== null && unchanged.get(path) === key) continue;
      const made = await this.madeByTask(folder, change, stretches);
      if (made && !sameEntry(before, made.entry)) changes.push(made);
      else if (made && key !== null) unchanged.set(path, key);
    }
    if (changes.length === 0) return;
    const made = new Set(changes.map(({ path }) => path));
    const said = notes.filter(({ path }) => made.has(path)).map(({ path, text }) => `${path} ${text}`);
    const outcome = { task: number, holds: base, changes, host: null, notes: said, left: [] };
    await this.landings.land(run, outcome);
  }

  /**
   * By path, how files look that are there although they seem to be gone: what git ignores, such as results that came
   * from hosts. Null for one that was changed just now.
   */
  private async looksOfIgnored(
    folder: string,
    changes: readonly Change[],
  ): Promise<Map<string, string | null>> {
    const paths = changes.flatMap(({ path, entry }) => (entry === null ? [path] : []));
    const found = await this.parts.store.disk.look(paths.map((path) => within(folder, path)));
    return new Map(paths.map((path, index) => [path, stampOf(found[index] as Found)]));
  }

  /** The change as it counts for the run, perhaps none after all; or null where somebody else made it. */
  private async madeByTask(
    folder: string,
    { path, entry }: Change,
    stretches: readonly Stretch[],
  ): Promise<Change | null> {
    const changed = await changedAt(within(folder, path));
    if (entry !== null) return changed !== null && isWithin(stretches, changed) ? { path, entry } : null;
    if (changed === null) {
      // Of what is gone, only the folder that it was in says when.
      const parent = await changedAt(join(folder, parentOf(path)));
      return parent === null || isWithin(stretches, parent) ? { path, entry: null } : null;
    }
    // It is there, but left out by an ignore file: a result that came from a host, say.
    if (!isWithin(stretches, changed)) return null;
    const now = await this.read(within(folder, path));
    return now && { path, entry: now };
  }

  private async read(path: string): Promise<Entry | null> {
    const [found] = await this.parts.store.read([{ path, size: 0 }]);
    if (found?.kind !== 'file') return null;
    return { kind: 'file', hash: found.hash, size: found.size, executable: found.executable };
  }
}

function isAside(path: string, id: string): boolean {
  const at = path.lastIndexOf(`.${id}`);
  return at > 0 && /^(\.\d+)?$/.test(path.slice(at + id.length + 1));
}

/** When a file was last changed in any way, milliseconds since the epoch; null where there is none. */
async function changedAt(path: string): Promise<number | null> {
  try {
    return (await lstat(systemPath(path))).ctimeMs;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}
