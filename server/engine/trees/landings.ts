/** How what tasks have made becomes part of their run's workspace, and comes into the folder of this machine. */
import type { LeftFile, LostContent, TaskNumber, TreeReport } from '../../model/task.ts';
import { VbatchError } from '../../protocol/errors.ts';
import { bring } from '../../workspace/bring.ts';
import { apply, type Change, type Conflict, commit, type Manifest } from '../../workspace/manifest.ts';
import { Turns } from './coalesced.ts';
import { type TreeParts, treeOfRun } from './parts.ts';

/** Most sentences of a kind. */
const mostNotes = 20;

export interface Outcome {
  readonly task: TaskNumber;
  /** What the folder held in which the changes were made. */
  readonly holds: Manifest;
  readonly changes: readonly Change[];
  /** Null where that is the folder of this machine. */
  readonly host: string | null;
  readonly notes: readonly string[];
  readonly left: readonly LeftFile[];
}

export class Landings {
  private readonly turns = new Map<TaskNumber, Turns>();

  constructor(private readonly parts: TreeParts) {}

  /** Has work be done that no other change of the run's workspace comes between. */
  alone<T>(run: TaskNumber, work: () => Promise<T>): Promise<T> {
    let turns = this.turns.get(run);
    if (!turns) this.turns.set(run, (turns = new Turns()));
    return turns.take(work);
  }

  /** Forgets a run that was removed. */
  forget(run: TaskNumber): void {
    this.turns.delete(run);
  }

  /**
   * Commits changes, and writes them into the folder. To be called within `alone`. Throws `diskFull` where there is no room here; then nothing is
   * committed, and what was written into the folder already is whole.
   */
  async land(run: TaskNumber, outcome: Outcome): Promise<void> {
    const { core, manifests, store } = this.parts;
    const { holds, changes, host } = outcome;
    const tree = treeOfRun(this.parts, run);
    const [current, base] = await Promise.all([manifests.load(tree.manifest), manifests.load(tree.landed)]);
    const { manifest, conflicts } = commit(holds, current, changes);
    const { landed, notes } =
      host === null
        ? { landed: apply(base, changes), notes: [] }
        : await this.bringHere(run, tree.folder, base, manifest);
    const saved = {
      manifest: await manifests.save(manifest),
      landed: await manifests.save(landed),
      holds: host === null ? null : await manifests.save(apply(holds, changes)),
    };
    await store.sync();
    const report = reportOf(changes, [...outcome.notes, ...notes, ...conflicts.map(conflictNote)]);
    core.commit({
      type: 'collected',
      at: core.time(),
      task: outcome.task,
      manifest: saved.manifest,
      landed: saved.landed,
      host: host !== null && saved.holds !== null ? { name: host, holds: saved.holds } : null,
      report,
      lost: conflicts.map((conflict) => lostContent(conflict, outcome.task)),
      left: [...outcome.left],
    });
  }

  private async bringHere(run: TaskNumber, folder: string, base: Manifest, manifest: Manifest) {
    const { core, store } = this.parts;
    const { id } = core.state.task(run);
    try {
      const landing = await bring(store, folder, base, manifest, id);
      const aside = landing.aside.map(
        ({ path, copy }) => `${path} was changed here meanwhile and stays as it is; the run's own is ${copy}`,
      );
      const withheld = landing.withheld.map(({ path, why }) => `${path} stays out of the folder: ${why}`);
      return { landed: landing.base, notes: [...aside, ...withheld] };
    } catch (error) {
      if (!(error instanceof VbatchError) || error.code !== 'refused') throw error;
      const note = `its results are not in ${folder}: ${error.message} \`vctl run checkout ${id} DIR\` has them`;
      return { landed: base, notes: [note] };
    }
  }
}

function reportOf(changes: readonly Change[], notes: readonly string[]): TreeReport {
  const report = { files: 0, bytes: 0, removed: 0, notes: notes.slice(0, mostNotes) };
  for (const { entry } of changes) {
    if (entry === null) report.removed += 1;
    else if (entry.kind !== 'folder') report.files += 1;
    if (entry?.kind === 'file') report.bytes += entry.size;
  }
  if (notes.length > mostNotes) report.notes.push(`and ${notes.length - mostNotes} more of the kind`);
  return report;
}

function conflictNote({ path, kept }: Conflict): string {
  const what = kept === null ? 'removed' : 'written';
  return `${path} was ${what} while another task of the run had written it: the later end wins, and \`vctl run checkout\` has both`;
}

function lostContent({ path, lost }: Conflict, by: TaskNumber): LostContent {
  return lost.kind === 'file'
    ? { path, hash: lost.hash, size: lost.size, by }
    : { path, hash: null, size: 0, by };
}
