/** What all that is drawn is drawn with: outlines, and text where it can be read. */
import type { Rect } from '../layout/place.ts';
import type { Theme } from './theme.ts';

export interface Pen {
  readonly context: CanvasRenderingContext2D;
  readonly zoom: number;
  readonly theme: Theme;
  /** The font that is set. */
  font: string;
}

export function readable({ zoom }: Pen, size: number): boolean {
  return size * zoom >= 7.5;
}

/** The size of text that is as small on the screen as can be read; null where it is too high for its place. */
export function smallest({ zoom }: Pen, height: number): number | null {
  return height * zoom >= 11 ? 10 / zoom : null;
}

export function outline(
  { context, zoom, theme }: Pen,
  rect: Rect,
  radius: number,
  chosen: boolean,
  dashed = false,
): void {
  context.beginPath();
  if (radius * zoom < 2) context.rect(rect.x, rect.y, rect.width, rect.height);
  else context.roundRect(rect.x, rect.y, rect.width, rect.height, radius);
  context.fill();
  context.strokeStyle = chosen ? theme.focus : theme.border;
  context.lineWidth = Math.max(chosen ? 2.5 : 1, (chosen ? 2.5 : 0.5) / zoom);
  context.setLineDash(dashed ? [5, 4] : []);
  context.stroke();
  context.setLineDash([]);
}

export function text(
  pen: Pen,
  content: string,
  x: number,
  y: number,
  width: number,
  size: number,
  colour: string,
  weight = '',
): void {
  const { context, theme } = pen;
  const font = `${weight} ${size}px ${theme.font}`;
  // To set a font costs more than to draw a word in it.
  if (pen.font !== font) context.font = pen.font = font;
  context.fillStyle = colour;
  context.textBaseline = 'middle';
  context.fillText(shortened(content, width, size), x, y);
}

/** Cut by its number of characters: measuring every text in every frame would cost more than drawing it. */
function shortened(content: string, width: number, size: number): string {
  const most = Math.floor(width / (size * 0.56));
  return content.length <= most ? content : `${content.slice(0, Math.max(1, most - 1))}…`;
}
