/** What of a run is to be seen: boxes, tasks, stacks and the edges between them, without their places. */

import { type Stack, stacked } from './stacks.ts';
import { lookOf } from './statuses.ts';
import type { Entry } from './tasks.ts';
import { type Dependency, upstreamFinder } from './upstreams.ts';

export type Item =
  | { readonly kind: 'task'; readonly key: string; readonly entry: Entry; readonly parent: BoxItem | null }
  | BoxItem
  | {
      readonly kind: 'stack';
      readonly key: string;
      readonly stack: Stack;
      readonly open: boolean;
      readonly parent: BoxItem | null;
    }
  /** A name that somebody waits for and nobody bears yet. */
  | {
      readonly kind: 'ghost';
      readonly key: string;
      readonly name: string;
      /** Whether somebody still waits for it. */
      readonly awaited: boolean;
      readonly parent: BoxItem | null;
    };

/** A task with the tasks below it. */
export interface BoxItem {
  readonly kind: 'box';
  readonly key: string;
  readonly entry: Entry;
  readonly parent: BoxItem | null;
  readonly items: Item[];
  readonly edges: Edge[];
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: Dependency['kind'];
}

/** What the person has opened and closed, by key. What is not in it is opened as there is room. */
export type Folds = Map<string, boolean>;

/** So many items are opened before anybody asks. */
const roomy = 150;

/**
 * The plan of a run. What it opens by itself it notes in `opened`, so that it does not close again when more
 * tasks come.
 */
export function planOf(root: Entry, folds: Folds, opened: Set<string>): BoxItem {
  let shown = 0;
  const box = (entry: Entry, parent: BoxItem | null): BoxItem => {
    const made: BoxItem = { kind: 'box', key: entry.task.id, entry, parent, items: [], edges: [] };
    const groups = stacked(entry.children);
    shown += groups.length;
    const alone = groups.filter((group) => !('members' in group)) as Entry[];
    for (const group of groups) {
      if (!('members' in group)) made.items.push(single(group, made));
      else {
        made.items.push({
          kind: 'stack',
          key: group.key,
          stack: group,
          open: folds.get(group.key) === true,
          parent: made,
        });
        // A task that was opened stands beside its stack.
        for (const member of openMembers(group, folds)) {
          alone.push(member);
          made.items.push(box(member, made));
        }
      }
    }
    addEdges(made, alone);
    return made;
  };
  const single = (entry: Entry, parent: BoxItem): Item => {
    const { id } = entry.task;
    if (entry.children.length > 0) {
      const open = folds.get(id) ?? (opened.has(id) || shown < roomy);
      if (open && !folds.has(id)) opened.add(id);
      if (open) return box(entry, parent);
    }
    return { kind: 'task', key: id, entry, parent };
  };
  return box(root, null);
}

function openMembers({ members }: Stack, folds: Folds): Entry[] {
  if (folds.size === 0) return [];
  return members.filter((entry) => entry.children.length > 0 && folds.get(entry.task.id) === true);
}

function addEdges(box: BoxItem, alone: readonly Entry[]): void {
  const children = box.entry.children;
  const find = upstreamFinder(children);
  const place = new Map<Entry, string>();
  for (const item of box.items) {
    if (item.kind === 'stack') for (const member of item.stack.members) place.set(member, item.key);
  }
  for (const entry of alone) place.set(entry, entry.task.id);
  const edges = new Map<string, Edge>();
  const ghosts = new Map<string, Item>();
  /** Items, by what was found, which is the same for all that wait for a large fan-in. */
  const ends = new Map<readonly Entry[], readonly string[]>();
  const endsOf = (dependency: Dependency, done: boolean): readonly string[] => {
    const found = find(dependency);
    let keys = ends.get(found);
    if (keys === undefined) {
      keys = [...new Set(found.flatMap((entry) => place.get(entry) ?? []))];
      ends.set(found, keys);
    }
    if (keys.length > 0) return keys;
    const { name, state } = dependency;
    const key = `ghost:${box.key}/${name}`;
    const awaited = state === 'unknown' && !done;
    if (awaited || !ghosts.has(key)) ghosts.set(key, { kind: 'ghost', key, name, awaited, parent: box });
    return [key];
  };
  for (const entry of children) {
    const to = place.get(entry) ?? entry.task.id;
    for (const dependency of entry.task.dependencies) {
      for (const from of endsOf(dependency, lookOf(entry.task.status).done)) {
        const { kind } = dependency;
        if (from !== to) edges.set(`${from}\n${to}\n${kind}`, { from, to, kind });
      }
    }
  }
  box.items.push(...ghosts.values());
  box.edges.push(...edges.values());
}

/** All items of a plan, a box before what is in it. */
export function* itemsOf(box: BoxItem): Generator<Item> {
  yield box;
  for (const item of box.items) {
    if (item.kind === 'box') yield* itemsOf(item);
    else yield item;
  }
}
