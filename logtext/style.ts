/** How text looks that a command has coloured: what select graphic rendition (ECMA-48, 8.3.117) says. */

/** A number of the palette of 256, of which the first 16 are the theme's; or `#rrggbb`. */
export type Colour = number | `#${string}`;

export interface Style {
  readonly foreground: Colour | null;
  readonly background: Colour | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
  readonly struck: boolean;
}

export const plainStyle: Style = {
  foreground: null,
  background: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  struck: false,
};

const switches: Readonly<Record<number, Partial<Style>>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { struck: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { struck: false },
  39: { foreground: null },
  49: { background: null },
};

/** The style after a sequence with these parameters, as they stand between `ESC [` and `m`. */
export function restyle(style: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number);
  let now = style;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) now = plainStyle;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, i + 1);
      i += used;
      if (colour !== null) now = { ...now, [code === 38 ? 'foreground' : 'background']: colour };
    } else if (code >= 30 && code <= 37) now = { ...now, foreground: code - 30 };
    else if (code >= 40 && code <= 47) now = { ...now, background: code - 40 };
    else if (code >= 90 && code <= 97) now = { ...now, foreground: code - 82 };
    else if (code >= 100 && code <= 107) now = { ...now, background: code - 92 };
    else if (switches[code] !== undefined) now = { ...now, ...switches[code] };
  }
  return now;
}

/** What follows 38 or 48, and how many codes that takes. */
function extended(codes: readonly number[], at: number): [Colour | null, number] {
  if (codes[at] === 5) {
    const number = codes[at + 1] ?? 0;
    return [number >= 0 && number <= 255 ? number : null, 2];
  }
  if (codes[at] !== 2) return [null, 0];
  const parts = codes.slice(at + 1, at + 4).map((part) => Math.min(255, Math.max(0, part || 0)));
  while (parts.length < 3) parts.push(0);
  return [`#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`, 4];
}

/** A colour of the palette beyond the theme's 16, as xterm has it. */
export function paletteColour(number: number): `#${string}` {
  const hex = (parts: number[]) => parts.map((part) => part.toString(16).padStart(2, '0')).join('');
  if (number >= 232)
    return `#${hex([8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232)])}`;
  const cube = number - 16;
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  return `#${hex([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)])}`;
}
