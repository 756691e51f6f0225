/** How large things are, in units of the picture: pixels at zoom 1. */
import type { BoxItem, Item } from '../state/plan.ts';
import { cell, padding } from './measures.ts';
import type { OutlineBox, OutlineItem } from './place.ts';

const sizes = {
  task: { width: 200, height: 48 },
  stack: { width: 300, height: 66 },
  ghost: { width: 170, height: 40 },
} as const;

/** Columns and rows of an opened stack: wide rather than high, as screens are. */
export function gridOf(members: number): { columns: number; rows: number } {
  const columns = Math.max(2, Math.ceil(Math.sqrt((members * (cell.height + cell.gap) * 1.7) / cell.width)));
  return { columns, rows: Math.ceil(members / columns) };
}

function sizeOf(item: Exclude<Item, BoxItem>): { width: number; height: number } {
  if (item.kind !== 'stack' || !item.open) return sizes[item.kind];
  const { columns, rows } = gridOf(item.stack.members.length);
  return {
    width: Math.max(sizes.stack.width, 2 * padding + columns * (cell.width + cell.gap) - cell.gap),
    height: sizes.stack.height + rows * (cell.height + cell.gap) + padding - cell.gap,
  };
}

/** Where the cells of an opened stack begin, below its top. */
export const cellsTop = sizes.stack.height;

/** What the layout needs to know of a plan. */
export function outlineOf(box: BoxItem): OutlineBox {
  return {
    key: box.key,
    edges: box.edges.map(({ from, to }) => ({ from, to })),
    items: box.items.map((item): OutlineItem => {
      if (item.kind === 'box') return { key: item.key, width: 0, height: 0, inner: outlineOf(item) };
      return { key: item.key, ...sizeOf(item), inner: null };
    }),
  };
}
