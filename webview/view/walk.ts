/** Where the arrow keys lead: right and left along the dependencies, up and down among neighbours. Pure. */
import { gridOf } from '../layout/sizes.ts';
import type { Node, Scene, Spot } from '../render/scene.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** What comes next; null where there is nothing. Without a place to go from: the whole. */
export function next(scene: Scene, from: Spot | null, direction: Direction): Spot | null {
  if (from === null) return scene.spotOf(scene.root.key);
  const key = from.at === null ? nextItem(scene, from.node, direction) : null;
  return from.at === null
    ? key === null
      ? null
      : scene.spotOf(key)
    : nextCell(from.node, from.at, direction);
}

/** The first of what is in a box or an opened stack. */
export function into(scene: Scene, { node, at }: Spot): Spot | null {
  if (at !== null) return null;
  if (node.item.kind === 'stack' && node.item.open) return { node, at: 0 };
  const first = node.item.kind === 'box' ? node.item.items[0] : undefined;
  return first === undefined ? null : scene.spotOf(first.key);
}

/** The box or stack around. */
export function outOf(scene: Scene, { node, at }: Spot): Spot | null {
  if (at !== null) return { node, at: null };
  const { parent } = node.item;
  return parent === null ? null : scene.spotOf(parent.key);
}

/** Beyond the border of its grid a cell leads to its stack. */
function nextCell(node: Node, at: number, direction: Direction): Spot | null {
  if (node.item.kind !== 'stack') return null;
  const { members } = node.item.stack;
  const { columns } = gridOf(members.length);
  const to = at + { left: -1, right: 1, up: -columns, down: columns }[direction];
  return { node, at: members[to] === undefined ? null : to };
}

function nextItem(scene: Scene, node: Node, direction: Direction): string | null {
  const from = node.item.key;
  if (direction === 'right' || direction === 'left') {
    const linked = scene.lines.flatMap(({ edge }) => {
      const [here, there] = direction === 'right' ? [edge.from, edge.to] : [edge.to, edge.from];
      return here === from ? [there] : [];
    });
    return nearest(scene, node, linked) ?? aside(scene, node, direction);
  }
  const siblings = siblingsOf(node).filter((key) => {
    const other = scene.nodes.get(key);
    if (other === undefined || key === from) return false;
    const [a, b] = [middle(node), middle(other)];
    return direction === 'down' ? b.y > a.y + 1 : b.y < a.y - 1;
  });
  return nearest(scene, node, siblings) ?? aside(scene, node, direction);
}

/** Without a dependency to follow: into a box, or out of it. */
function aside(scene: Scene, { item }: Node, direction: Direction): string | null {
  if (direction === 'left' || direction === 'up') return item.parent?.key ?? null;
  if (item.kind !== 'box') return null;
  const inside = item.items.flatMap(({ key }) => scene.nodes.get(key) ?? []);
  inside.sort((a, b) => a.rect.x - b.rect.x || a.rect.y - b.rect.y);
  return inside[0]?.item.key ?? null;
}

function siblingsOf({ item }: Node): string[] {
  return item.parent?.items.map(({ key }) => key) ?? [];
}

function nearest(scene: Scene, from: Node, keys: readonly string[]): string | null {
  const a = middle(from);
  let best: { key: string; distance: number } | null = null;
  for (const key of keys) {
    const node = scene.nodes.get(key);
    if (node === undefined) continue;
    const b = middle(node);
    const distance = Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
    if (best === null || distance < best.distance) best = { key, distance };
  }
  return best?.key ?? null;
}

function middle({ rect }: Node): { x: number; y: number } {
  return { x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 };
}
