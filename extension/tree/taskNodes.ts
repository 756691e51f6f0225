/** The tree of tasks: what is below what. */
import type { TaskNode } from './look.ts';
import type { TaskStore } from './taskStore.ts';

/** What is shown below a node, or at the top where it is null. */
export function childrenOf(store: TaskStore, node: TaskNode | null): TaskNode[] {
  if (node === null) return store.runs.runLines();
  switch (node.kind) {
    case 'task':
      return node.children?.lines() ?? [];
    case 'group':
      return node.family.linesOf(node);
    case 'hundred':
      return node.family.tasksOf(node);
  }
}

/** Whether a node is known and fits the filter; what groups tasks is there as long as their parent is. */
export function isThere(store: TaskStore, node: TaskNode): boolean {
  if (node.kind === 'task') return node.fitting > 0 && store.find(node.id) === node;
  const { parent } = node.family;
  return parent === null || isThere(store, parent);
}

/** What a node is shown below; null at the top. */
export function parentOf(node: TaskNode): TaskNode | null {
  switch (node.kind) {
    case 'task':
      return node.siblings.holderOf(node) ?? node.parent;
    case 'group':
      return node.family.parent;
    case 'hundred':
      return node.group ?? node.family.parent;
  }
}
