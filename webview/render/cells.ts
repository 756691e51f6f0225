/** The tasks of an opened stack, as cells of a grid. Only those that can be seen, status by status: colours cost. */
import { cell, padding } from '../layout/measures.ts';
import type { Rect } from '../layout/place.ts';
import { cellsTop, gridOf } from '../layout/sizes.ts';
import type { Stack } from '../state/stacks.ts';
import { lookOf, placeOf, statuses } from '../state/statuses.ts';
import { dim, type Highlight, matched } from './highlight.ts';
import { type Pen, readable, text } from './pen.ts';

const [across, down] = [cell.width + cell.gap, cell.height + cell.gap];

/** Cells beside each other that look the same: the place of the first, and how many. */
interface Row {
  readonly at: number;
  count: number;
}

/** @param stack where the stack is; @param view what of the picture is seen. */
export function drawCells(pen: Pen, stack: Rect, { members }: Stack, highlight: Highlight, view: Rect): void {
  const { context, theme } = pen;
  const { columns } = gridOf(members.length);
  const [left, top] = [stack.x + padding, stack.y + cellsTop];
  const legible = readable(pen, 11);
  // A gap of less than half a pixel is hardly seen, so that a row of cells is one rectangle.
  const looks = looksOf(members, columns, highlight, cell.gap * pen.zoom < 0.5, {
    ...view,
    x: view.x - left,
    y: view.y - top,
  });
  for (const [look, rows] of looks.entries()) {
    const status = statuses[look >> 1];
    if (rows.length === 0 || status === undefined) continue;
    const brightness = look % 2 === 1 ? 1 : dim;
    context.fillStyle = theme.status[status];
    context.globalAlpha = brightness * (legible ? 0.28 : 0.85);
    for (const { at, count } of rows) {
      const x = left + (at % columns) * across;
      context.fillRect(x, top + Math.floor(at / columns) * down, count * across - cell.gap, cell.height);
    }
    context.globalAlpha = brightness;
    if (!legible) continue;
    for (const { at } of rows) {
      const x = left + (at % columns) * across + 6;
      const y = top + Math.floor(at / columns) * down + cell.height / 2;
      const told = `${lookOf(status).sign} ${members[at]?.task.name ?? ''}`;
      text(pen, told, x, y, cell.width - 10, 11, theme.text);
    }
  }
  context.globalAlpha = 1;
}

/** What is seen of the cells, by the status's place, twice: dimmed and bright. @param view from the first cell. */
function looksOf(
  members: Stack['members'],
  columns: number,
  highlight: Highlight,
  joined: boolean,
  view: Rect,
): Row[][] {
  const looks: Row[][] = statuses.flatMap(() => [[], []]);
  const firstColumn = Math.max(0, Math.floor(view.x / across));
  const lastColumn = Math.min(columns - 1, Math.floor((view.x + view.width) / across));
  const firstRow = Math.max(0, Math.floor(view.y / down));
  const lastRow = Math.min(
    Math.ceil(members.length / columns) - 1,
    Math.floor((view.y + view.height) / down),
  );
  for (let row = firstRow; row <= lastRow; row++) {
    let [lastLook, last]: [number, Row | null] = [-1, null];
    for (let column = firstColumn; column <= lastColumn; column++) {
      const at = row * columns + column;
      const entry = members[at];
      if (entry === undefined) break;
      const look = 2 * placeOf(entry.task.status) + (matched(entry, highlight) ? 1 : 0);
      if (joined && last !== null && lastLook === look) last.count += 1;
      else {
        [lastLook, last] = [look, { at, count: 1 }];
        looks[look]?.push(last);
      }
    }
  }
  return looks;
}
