/** What the parts of `Trees` share. */

import type { TaskNumber, Tree } from '../../model/task.ts';
import { treeOf } from '../../model/tree.ts';
import type { UnderWay } from '../../travel/underWay.ts';
import type { ContentStore } from '../../workspace/store.ts';
import type { Core } from '../core.ts';
import type { Rooms } from '../rooms.ts';
import type { Manifests } from './manifests.ts';

export interface TreeParts {
  readonly core: Core;
  readonly rooms: Rooms;
  readonly store: ContentStore;
  readonly manifests: Manifests;
  /** Folder for what is being fetched. */
  readonly incoming: string;
  /** Marks of the store, each from before something began to store what no event names yet. */
  readonly marks: Set<number>;
  /** By host, what is on its way there. */
  readonly underWay: Map<string, UnderWay>;
  /** What is on its way for a task is another one now. */
  readonly moved: () => void;
  readonly log: (message: string) => void;
}

/** Keeps what is stored from now on, although no event names it yet. To be called when one does, or never will. */
export function keepFresh({ store, marks }: TreeParts): () => void {
  const mark = store.mark();
  marks.add(mark);
  return () => marks.delete(mark);
}

/** The workspace of a run that has one. */
export function treeOfRun({ core: { state } }: TreeParts, run: TaskNumber): Tree {
  const tree = treeOf(state, state.task(run));
  if (tree === null) throw new Error(`run ${run} has no workspace`);
  return tree;
}
