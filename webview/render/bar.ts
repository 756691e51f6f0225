/** The bar of a stack: a piece for each status, as long as its share of the tasks. */
import type { Rect } from '../layout/place.ts';
import type { Stack } from '../state/stacks.ts';
import { inOrderOfWork, placeOf } from '../state/statuses.ts';
import type { Theme } from './theme.ts';

export function paintBar(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Rect,
  { counts, members }: Stack,
  theme: Theme,
): void {
  let at = x;
  for (const status of inOrderOfWork) {
    const share = (counts[placeOf(status)] ?? 0) / members.length;
    if (share === 0) continue;
    context.fillStyle = theme.status[status];
    context.fillRect(at, y, width * share, height);
    at += width * share;
  }
}
