/** A plan with its places: what is drawn, found by the pointer, and walked by the arrow keys. */
import { cell, padding } from '../layout/measures.ts';
import type { Places, Rect } from '../layout/place.ts';
import { cellsTop, gridOf } from '../layout/sizes.ts';
import { type BoxItem, type Edge, type Item, itemsOf } from '../state/plan.ts';
import type { Entry } from '../state/tasks.ts';
import { contains } from './camera.ts';
import { SpatialGrid } from './spatialGrid.ts';

export interface Node {
  readonly item: Item;
  readonly rect: Rect;
}

/** An item, or a task within a stack, by its place there. */
export interface Spot {
  readonly node: Node;
  readonly at: number | null;
}

export interface Line {
  readonly edge: Edge;
  /** x and y in turn. */
  readonly points: readonly number[];
}

export interface Scene {
  readonly root: BoxItem;
  readonly bounds: Rect;
  /** A box before what is in it. */
  readonly nodes: ReadonlyMap<string, Node>;
  readonly nodeGrid: SpatialGrid<Node>;
  readonly lines: readonly Line[];
  readonly lineGrid: SpatialGrid<Line>;
  /** Where a task or another item is to be seen; null where it is not. */
  spotOf(key: string): Spot | null;
}

export function sceneOf(root: BoxItem, places: Places): Scene {
  const nodes = new Map<string, Node>();
  const nodeGrid = new SpatialGrid<Node>();
  const lines: Line[] = [];
  const lineGrid = new SpatialGrid<Line>();
  for (const item of itemsOf(root)) {
    const rect = places.rects[item.key];
    if (rect === undefined) continue;
    const node = { item, rect };
    nodes.set(item.key, node);
    nodeGrid.add(node, rect);
    if (item.kind !== 'box') continue;
    for (const [at, edge] of item.edges.entries()) {
      const points = places.lines[item.key]?.[at];
      if (points === undefined) continue;
      const line = { edge, points };
      lines.push(line);
      lineGrid.add(line, around(points));
    }
  }
  const bounds = places.rects[root.key] ?? { x: 0, y: 0, width: 1, height: 1 };
  let cells: ReadonlyMap<string, Spot> | null = null;
  const spotOf = (key: string): Spot | null => {
    const node = nodes.get(key);
    if (node !== undefined) return { node, at: null };
    cells ??= cellsIn(nodes.values());
    return cells.get(key) ?? null;
  };
  return { root, bounds, nodes, nodeGrid, lines, lineGrid, spotOf };
}

function cellsIn(nodes: Iterable<Node>): Map<string, Spot> {
  const cells = new Map<string, Spot>();
  for (const node of nodes) {
    if (node.item.kind !== 'stack') continue;
    for (const [at, { task }] of node.item.stack.members.entries()) cells.set(task.id, { node, at });
  }
  return cells;
}

/** The part of the picture that a spot has: of a stack that is closed, all of it. */
export function rectOf({ node, at }: Spot): Rect {
  return at !== null && node.item.kind === 'stack' && node.item.open ? cellRect(node, at) : node.rect;
}

function around(points: readonly number[]): Rect {
  const xs = points.filter((_, at) => at % 2 === 0);
  const ys = points.filter((_, at) => at % 2 === 1);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** What is at a point: the innermost item, or the task of an opened stack. */
export function hit(scene: Scene, x: number, y: number): Spot | null {
  const node = scene.nodeGrid
    .within({ x, y, width: 0.1, height: 0.1 })
    .findLast(({ rect }) => contains(rect, x, y));
  return node === undefined ? null : { node, at: cellAt(node, x, y) };
}

function cellAt({ item, rect }: Node, x: number, y: number): number | null {
  if (item.kind !== 'stack' || !item.open) return null;
  const [left, top] = [x - rect.x - padding, y - rect.y - cellsTop];
  if (left < 0 || top < 0) return null;
  const { columns } = gridOf(item.stack.members.length);
  const column = Math.floor(left / (cell.width + cell.gap));
  const row = Math.floor(top / (cell.height + cell.gap));
  const at = row * columns + column;
  return column < columns && at < item.stack.members.length ? at : null;
}

/** The task of a spot within a stack. */
export function memberOf({ node: { item }, at }: Spot): Entry | null {
  return item.kind === 'stack' && at !== null ? (item.stack.members[at] ?? null) : null;
}

/** Where the cell of a stack's task is, by its place in the stack. */
export function cellRect({ item, rect }: Node, at: number): Rect {
  const { columns } = gridOf(item.kind === 'stack' ? item.stack.members.length : 1);
  return {
    x: rect.x + padding + (at % columns) * (cell.width + cell.gap),
    y: rect.y + cellsTop + Math.floor(at / columns) * (cell.height + cell.gap),
    width: cell.width,
    height: cell.height,
  };
}
