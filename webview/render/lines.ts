/** Draws dependencies: their kinds differ by line and label, never by colour alone. */
import { t } from '@vscode/l10n';
import type { Dependency } from '../state/upstreams.ts';
import type { Pen } from './pen.ts';
import type { Line } from './scene.ts';

/** The flag that makes each kind, in few words. */
export const kindLabels: Readonly<Record<Dependency['kind'], string>> = {
  success: t('success'),
  fail: t('fail'),
  any: t('any end'),
};

const dashes: Readonly<Record<Dependency['kind'], readonly number[]>> = {
  success: [],
  fail: [8, 5],
  any: [2, 4],
};

export function drawLine(pen: Pen, { edge, points }: Line, selected: string | null): void {
  const { context, zoom, theme } = pen;
  const [x = 0, y = 0] = points;
  const chosen = selected !== null && (edge.from === selected || edge.to === selected);
  context.strokeStyle = chosen ? theme.focus : theme.line;
  context.lineWidth = Math.max(chosen ? 2 : 1.2, 0.6 / zoom);
  context.setLineDash(zoom < 0.25 ? [] : [...dashes[edge.kind]]);
  context.beginPath();
  context.moveTo(x, y);
  // Through the middles of dagre's points, so that corners are round.
  for (let at = 2; at < points.length - 2; at += 2) {
    const [px = 0, py = 0, nx = 0, ny = 0] = points.slice(at, at + 4);
    const isLast = at + 2 === points.length - 2;
    context.quadraticCurveTo(px, py, isLast ? nx : (px + nx) / 2, isLast ? ny : (py + ny) / 2);
  }
  if (points.length === 4) context.lineTo(points[2] ?? 0, points[3] ?? 0);
  context.stroke();
  context.setLineDash([]);
  if (zoom < 0.25) return;
  arrow(pen, points, chosen);
  if (zoom >= 0.75) label(pen, points, kindLabels[edge.kind]);
}

function arrow({ context, theme }: Pen, points: readonly number[], chosen: boolean): void {
  const [bx = 0, by = 0, x = 0, y = 0] = points.slice(-4);
  const angle = Math.atan2(y - by, x - bx);
  context.fillStyle = chosen ? theme.focus : theme.line;
  context.beginPath();
  context.moveTo(x, y);
  for (const turn of [0.45, -0.45])
    context.lineTo(x - 9 * Math.cos(angle + turn), y - 9 * Math.sin(angle + turn));
  context.fill();
}

function label(pen: Pen, points: readonly number[], content: string): void {
  const { context, theme } = pen;
  const middle = Math.floor(points.length / 4) * 2;
  const [x = 0, y = 0] = points.slice(middle, middle + 2);
  const width = content.length * 5.6 + 8;
  context.fillStyle = theme.inner;
  context.fillRect(x - width / 2, y - 7, width, 14);
  context.font = pen.font = `10px ${theme.font}`;
  context.fillStyle = theme.faint;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  context.fillText(content, x, y);
  context.textAlign = 'start';
}
