/**
 * Places what is to be seen. Dependencies join siblings, so each box is laid out by itself, innermost first,
 * and is then one node of the box around it. dagre does the layers; the order within a layer is kept from one
 * layout to the next, so that what was seen stays where it was relative to the rest.
 */
import { graphlib, layout } from '@dagrejs/dagre';
import { headHeight, padding } from './measures.ts';

export interface OutlineItem {
  readonly key: string;
  /** Of no meaning for a box, whose size follows from what is in it. */
  readonly width: number;
  readonly height: number;
  readonly inner: OutlineBox | null;
}

export interface OutlineBox {
  readonly key: string;
  readonly items: readonly OutlineItem[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Places {
  readonly rects: Record<string, Rect>;
  /** By box, in the order of its edges: x and y in turn. */
  readonly lines: Record<string, readonly (readonly number[])[]>;
}

/** A box laid out by itself, from 0,0. */
interface Piece {
  readonly width: number;
  readonly height: number;
  readonly rects: ReadonlyMap<string, Rect>;
  readonly lines: readonly (readonly number[])[];
}

/** Where each item stood in its layer, by box. */
export type Memory = Map<string, Map<string, number>>;

/** Lays a picture out, and notes in `memory` what to keep the next time. */
export function place(root: OutlineBox, memory: Memory): Places {
  const places: Places = { rects: {}, lines: {} };
  const pieces = new Map<string, Piece>();
  const { width, height } = measure(root, memory, pieces);
  places.rects[root.key] = { x: 0, y: 0, width, height };
  settle(root, 0, 0, pieces, places);
  return places;
}

function measure(box: OutlineBox, memory: Memory, pieces: Map<string, Piece>): Piece {
  const graph = new graphlib.Graph({ multigraph: false });
  graph.setGraph({ rankdir: 'LR', nodesep: 16, ranksep: 88, edgesep: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { key, width, height, inner } of box.items) {
    const size = inner === null ? { width, height } : measure(inner, memory, pieces);
    graph.setNode(key, { width: size.width, height: size.height });
  }
  for (const { from, to } of box.edges) graph.setEdge(from, to);
  const seen = memory.get(box.key) ?? new Map<string, number>();
  if (box.items.length > 0)
    layout(graph, {
      customOrder: (layers, order) => {
        order(layers, {});
        keepOrder(layers, seen);
      },
    });
  const piece = pieceOf(box, graph);
  const ranked = [...piece.rects].sort(([, a], [, b]) => a.y - b.y);
  memory.set(box.key, new Map(ranked.map(([key], at) => [key, at])));
  pieces.set(box.key, piece);
  return piece;
}

interface LayerNode {
  rank?: number;
  order?: number;
}

/** Within each layer, what was there before takes its places in the order of before. */
function keepOrder(graph: graphlib.Graph, seen: ReadonlyMap<string, number>): void {
  if (seen.size === 0) return;
  const layers = new Map<number, string[]>();
  for (const key of graph.nodes()) {
    const { rank } = graph.node(key) as LayerNode;
    if (rank === undefined || !seen.has(key)) continue;
    const layer = layers.get(rank);
    if (layer === undefined) layers.set(rank, [key]);
    else layer.push(key);
  }
  for (const keys of layers.values()) {
    const slots = keys.map((key) => (graph.node(key) as LayerNode).order ?? 0).sort((a, b) => a - b);
    keys.sort((a, b) => (seen.get(a) ?? 0) - (seen.get(b) ?? 0));
    for (const [at, key] of keys.entries()) (graph.node(key) as LayerNode).order = slots[at] ?? 0;
  }
}

function pieceOf(box: OutlineBox, graph: graphlib.Graph): Piece {
  const rects = new Map<string, Rect>();
  let [right, bottom] = [0, 0];
  const [dx, dy] = [padding, headHeight + padding];
  for (const { key } of box.items) {
    const node = graph.node(key) as { x: number; y: number; width: number; height: number };
    const { width, height } = node;
    const rect = { x: dx + node.x - width / 2, y: dy + node.y - height / 2, width, height };
    rects.set(key, rect);
    right = Math.max(right, rect.x + width);
    bottom = Math.max(bottom, rect.y + height);
  }
  const lines = box.edges.map(({ from, to }) => {
    const { points } = graph.edge(from, to) as { points: { x: number; y: number }[] };
    for (const { y } of points) bottom = Math.max(bottom, dy + y);
    return points.flatMap(({ x, y }) => [dx + x, dy + y]);
  });
  return {
    width: Math.max(240, right + padding),
    height: bottom === 0 ? headHeight + padding : bottom + padding,
    rects,
    lines,
  };
}

/** Moves the pieces to where they are in the whole. */
function settle(
  box: OutlineBox,
  x: number,
  y: number,
  pieces: ReadonlyMap<string, Piece>,
  places: Places,
): void {
  const piece = pieces.get(box.key);
  if (piece === undefined) return;
  for (const { key, inner } of box.items) {
    const rect = piece.rects.get(key);
    if (rect === undefined) continue;
    places.rects[key] = { ...rect, x: rect.x + x, y: rect.y + y };
    if (inner !== null) settle(inner, rect.x + x, rect.y + y, pieces, places);
  }
  places.lines[box.key] = piece.lines.map((line) => line.map((value, at) => value + (at % 2 === 0 ? x : y)));
}
