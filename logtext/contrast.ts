/** Colours that can be read on what is behind them, whatever a command had in mind: terminals see to it as well. */
import { type Colour, paletteColour } from './style.ts';

/** The first 16 where no theme says what they are, as VS Code's terminal has them by default. */
const standard = [
  '#000000 #cd3131 #0dbc79 #e5e510 #2472c8 #bc3fbc #11a8cd #e5e5e5',
  '#666666 #f14c4c #23d18b #f5f543 #3b8eea #d670d6 #29b8db #ffffff',
]
  .join(' ')
  .split(' ') as `#${string}`[];

/** What WCAG 2.2 (1.4.3) asks of text, as a ratio of luminances. */
const least = 4.5;
const steps = 20;

export function hexOf(colour: Colour): `#${string}` {
  return typeof colour === 'string' ? colour : (standard[colour] ?? paletteColour(colour));
}

/** The colour, as much lighter or darker as it takes to be read; null is for whichever of black and white is better. */
export function readableOn(colour: `#${string}` | null, background: `#${string}`): `#${string}` {
  const behind = partsOf(background);
  const far = contrast([0, 0, 0], behind) > contrast([255, 255, 255], behind) ? 0 : 255;
  const wanted = colour === null ? [far, far, far] : partsOf(colour);
  for (let step = 0; step < steps; step++) {
    const mixed = wanted.map((part) => Math.round(part + ((far - part) * step) / steps));
    if (contrast(mixed, behind) >= least) return hex(mixed);
  }
  return hex([far, far, far]);
}

/** Of two colours, from 1 to 21: WCAG's definition. */
export function contrastOf(a: `#${string}`, b: `#${string}`): number {
  return contrast(partsOf(a), partsOf(b));
}

function contrast(a: readonly number[], b: readonly number[]): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(parts: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = parts.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function partsOf(colour: `#${string}`): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

function hex(parts: readonly number[]): `#${string}` {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
