/** A line of output as elements: its colours, and links to the places in files that it names. */
import type { LogLine, Span } from '../../logtext/lines.ts';
import { type Place, referencesIn } from '../../logtext/references.ts';
import { type Colour, paletteColour, plainStyle, type Style } from '../../logtext/style.ts';
import { element, linkButton } from './dom.ts';

const names = ['Black', 'Red', 'Green', 'Yellow', 'Blue', 'Magenta', 'Cyan', 'White'];

/** @param open what a link does; null where places are not links. */
export function lineElements(
  { text, spans }: Pick<LogLine, 'text' | 'spans'>,
  open: ((place: Place) => void) | null,
): (Node | string)[] {
  if (text === '') return [' '];
  const made: (Node | string)[] = [];
  let at = 0;
  for (const reference of open === null ? [] : referencesIn(text)) {
    const { start, end, ...place } = reference;
    made.push(...styled(text, spans, at, start));
    const link = linkButton('', () => open?.(place));
    link.append(...styled(text, spans, start, end));
    made.push(link);
    at = end;
  }
  made.push(...styled(text, spans, at, text.length));
  return made;
}

/** The text from `start` to `end` in pieces that look the same. */
function styled(text: string, spans: readonly Span[], start: number, end: number): (Node | string)[] {
  const pieces: (Node | string)[] = [];
  let at = start;
  for (const span of spans) {
    const [from, to] = [Math.max(span.start, start), Math.min(span.end, end)];
    if (from >= to || span.style === plainStyle) continue;
    if (from > at) pieces.push(text.slice(at, from));
    const piece = element('span', '', text.slice(from, to));
    paint(piece.style, span.style);
    pieces.push(piece);
    at = to;
  }
  if (end > at) pieces.push(text.slice(at, end));
  return pieces;
}

function paint(target: CSSStyleDeclaration, style: Style): void {
  const { inverse } = style;
  const [front, back] = inverse ? [style.background, style.foreground] : [style.foreground, style.background];
  target.color = front === null ? (inverse ? 'var(--vscode-editor-background)' : '') : colour(front);
  target.backgroundColor = back === null ? (inverse ? 'var(--vscode-editor-foreground)' : '') : colour(back);
  if (style.bold) target.fontWeight = 'bold';
  if (style.italic) target.fontStyle = 'italic';
  if (style.dim) target.opacity = '0.7';
  const lines = [style.underline && 'underline', style.struck && 'line-through'].filter(Boolean);
  target.textDecoration = lines.join(' ');
}

/** The first 16 are the theme's, as in a terminal. */
function colour(value: Colour): string {
  if (typeof value === 'string') return value;
  if (value >= 16) return paletteColour(value);
  return `var(--vscode-terminal-ansi${value >= 8 ? 'Bright' : ''}${names[value % 8]})`;
}
