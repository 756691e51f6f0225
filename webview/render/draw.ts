/** Draws what the camera sees of a scene. Text and detail only where they can be read. */
import { t } from '@vscode/l10n';
import { headHeight, padding } from '../layout/measures.ts';
import type { Rect } from '../layout/place.ts';
import type { BoxItem, Item } from '../state/plan.ts';
import { countsText, lookOf } from '../state/statuses.ts';
import type { Entry } from '../state/tasks.ts';
import { ghostNote, progressText, stackTitle } from '../state/words.ts';
import { paintBar } from './bar.ts';
import { type Camera, type Size, seen } from './camera.ts';
import { drawCells } from './cells.ts';
import { dim, type Highlight, matched } from './highlight.ts';
import { drawLine } from './lines.ts';
import { outline, type Pen, readable, smallest, text } from './pen.ts';
import { cellRect, type Node, type Scene } from './scene.ts';
import type { Theme } from './theme.ts';

export function draw(
  context: CanvasRenderingContext2D,
  size: Size,
  pixels: number,
  scene: Scene,
  camera: Camera,
  theme: Theme,
  highlight: Highlight,
): void {
  const { zoom } = camera;
  context.setTransform(pixels, 0, 0, pixels, 0, 0);
  context.fillStyle = theme.background;
  context.fillRect(0, 0, size.width, size.height);
  context.setTransform(
    pixels * zoom,
    0,
    0,
    pixels * zoom,
    -camera.x * pixels * zoom,
    -camera.y * pixels * zoom,
  );
  const view = seen(camera, size);
  const pen: Pen = { context, zoom, theme, font: '' };
  const nodes = scene.nodeGrid.within(view);
  for (const node of nodes) if (node.item.kind === 'box') drawBox(pen, node, node.item, highlight);
  for (const line of scene.lineGrid.within(view)) drawLine(pen, line, highlight.selected);
  for (const node of nodes) {
    const { item, rect } = node;
    switch (item.kind) {
      case 'box':
        break;
      case 'task':
        drawTask(pen, rect, item.entry, highlight);
        break;
      case 'ghost':
        drawGhost(pen, rect, item.name, item.awaited);
        break;
      case 'stack':
        drawStack(pen, node, item, highlight, view);
        break;
    }
  }
  const chosen = highlight.selected === null ? null : scene.spotOf(highlight.selected);
  if (chosen?.at != null && chosen.node.item.kind === 'stack' && chosen.node.item.open) {
    const rect = cellRect(chosen.node, chosen.at);
    context.strokeStyle = theme.focus;
    context.lineWidth = 2.5 / zoom;
    context.strokeRect(rect.x, rect.y, rect.width, rect.height);
  }
}

function drawBox(pen: Pen, { rect }: Node, box: BoxItem, highlight: Highlight): void {
  const { context, theme } = pen;
  const { task } = box.entry;
  context.fillStyle = box.parent === null || box.parent.parent !== null ? theme.inner : theme.surface;
  outline(pen, rect, 8, highlight.selected === box.key);
  context.fillStyle = theme.status[task.status];
  context.fillRect(rect.x, rect.y + 8, 4, headHeight - 12);
  if (!readable(pen, 13)) {
    const size = smallest(pen, headHeight);
    if (size === null) return;
    const told = `${lookOf(task.status).sign} ${task.name}`;
    return text(pen, told, rect.x + 12, rect.y + headHeight / 2 + 2, rect.width - 24, size, theme.text);
  }
  const middle = rect.y + headHeight / 2 + 2;
  text(pen, `▾ ${lookOf(task.status).sign}`, rect.x + 12, middle, 60, 13, theme.status[task.status]);
  text(pen, task.name, rect.x + 44, middle, rect.width - 44 - 110, 13, theme.text, '600');
  context.textAlign = 'end';
  text(pen, progressText(task), rect.x + rect.width - 12, middle, 130, 11, theme.faint);
  context.textAlign = 'start';
}

function drawTask(pen: Pen, rect: Rect, entry: Entry, highlight: Highlight): void {
  const { context, theme } = pen;
  const { task } = entry;
  const look = lookOf(task.status);
  context.globalAlpha = matched(entry, highlight) ? 1 : dim;
  context.fillStyle = theme.surface;
  outline(pen, rect, 6, highlight.selected === task.id);
  context.fillStyle = theme.status[task.status];
  if (readable(pen, 13)) {
    context.fillRect(rect.x, rect.y + 6, 4, rect.height - 12);
    const folded = entry.children.length > 0 ? '▸ ' : '';
    text(pen, folded + task.name, rect.x + 14, rect.y + 16, rect.width - 22, 13, theme.text, '600');
    text(pen, look.sign, rect.x + 14, rect.y + 34, 20, 12, theme.status[task.status]);
    text(pen, `${look.word}${detailOf(entry)}`, rect.x + 32, rect.y + 34, rect.width - 40, 11, theme.faint);
  } else {
    const size = smallest(pen, rect.height);
    const bar = size === null ? rect.width : 3 / pen.zoom;
    context.fillRect(rect.x, rect.y, bar, rect.height);
    const told = `${look.sign} ${task.name}`;
    const left = bar + 4 / pen.zoom;
    if (size !== null)
      text(pen, told, rect.x + left, rect.y + rect.height / 2, rect.width - left, size, theme.text);
  }
  context.globalAlpha = 1;
}

function detailOf({ task, children }: Entry): string {
  if (children.length > 0) return ` · ${task.children.done}/${task.children.total}`;
  if (task.status === 'FAILURE' && task.exitCode !== null) return ` · ${t('exit code {0}', task.exitCode)}`;
  return task.host === null || task.host === 'local' ? ` · ${task.pool}` : ` · ${task.host}`;
}

function drawGhost(pen: Pen, rect: Rect, name: string, awaited: boolean): void {
  const { context, theme } = pen;
  context.fillStyle = theme.background;
  outline(pen, rect, 6, false, true);
  if (!readable(pen, 12)) return;
  text(pen, name, rect.x + 12, rect.y + 14, rect.width - 20, 12, theme.faint, 'italic');
  text(pen, ghostNote(awaited), rect.x + 12, rect.y + 29, rect.width - 20, 10, theme.faint);
}

type StackItem = Extract<Item, { kind: 'stack' }>;

function drawStack(pen: Pen, node: Node, item: StackItem, highlight: Highlight, view: Rect): void {
  const { context, theme } = pen;
  const { rect } = node;
  const { stack } = item;
  const { matches } = highlight;
  const found = matches !== null && !item.open && !stack.members.some(matches);
  context.globalAlpha = found ? dim : 1;
  context.fillStyle = theme.surface;
  if (!item.open && readable(pen, 10)) {
    outline(pen, { ...rect, x: rect.x + 6, y: rect.y + 6 }, 6, false);
    outline(pen, { ...rect, x: rect.x + 3, y: rect.y + 3 }, 6, false);
  }
  outline(pen, rect, 6, highlight.selected === item.key);
  const [x, width] = [rect.x + padding, rect.width - 2 * padding];
  const title = `${item.open ? '▾' : '▸'} ${stackTitle(stack)}`;
  if (readable(pen, 12)) {
    text(pen, title, x, rect.y + 14, width, 13, theme.text, '600');
    text(pen, countsText(stack.counts), x, rect.y + 50, width, 11, theme.faint);
    paintBar(context, { x, y: rect.y + 26, width, height: 10 }, stack, theme);
  } else {
    const size = smallest(pen, 36);
    if (size !== null) text(pen, title, x, rect.y + 18, width, size, theme.text);
    paintBar(context, { x, y: rect.y + 38, width, height: 16 }, stack, theme);
  }
  context.globalAlpha = 1;
  if (item.open) drawCells(pen, rect, stack, highlight, view);
}
