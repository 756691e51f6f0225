/** Text for a terminal: what it does to a screen, how wide it is, and how it is cut. */
import { homedir } from 'node:os';

/**
 * East Asian wide and fullwidth characters (Unicode's EastAsianWidth.txt, W and F) and what is shown
 * as an emoji by itself. One of these makes its whole grapheme two columns wide.
 */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
/** A grapheme of these alone takes no column. */
const zero = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
/** ASCII, Latin letters, and what trees, icons and cuts are drawn with: a column for each. */
const plain = /^[\x20-\x7e\xa1-\xac\xae-\u02ff–…⊖⊘─-╿○◌●◐◔✓✗]*$/;

/**
 * What could move the cursor, change colours or hide the direction of text: control characters,
 * line separators, bidirectional overrides (Unicode TR 36), and halves of surrogate pairs.
 */
// oxlint-disable-next-line no-control-regex -- they are what is looked for.
const harmful = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;

let segmenter: Intl.Segmenter | null = null;

/** Made when it is first needed: that takes 12 ms, and most texts are plain. */
function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** The text with everything harmful made visible: `␛` for escape, `�` where there is no picture. */
export function harmless(text: string): string {
  return text.replace(harmful, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\ufffd';
  });
}

/** Columns that a harmless text takes. */
export function textWidth(text: string): number {
  if (plain.test(text)) return text.length;
  return graphemesOf(text).reduce((total, grapheme) => total + graphemeWidth(grapheme), 0);
}

function graphemeWidth(grapheme: string): number {
  if (zero.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

/** The text itself where it fits into `width` columns, else as much of one end of it and a `…`. */
export function cutText(text: string, width: number, keep: 'start' | 'end' = 'start'): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return '';
  const segments = plain.test(text) ? [...text] : graphemesOf(text);
  if (keep === 'end') segments.reverse();
  let room = width - 1;
  const kept = segments.slice(
    0,
    segments.findIndex((segment) => {
      room -= graphemeWidth(segment);
      return room < 0;
    }),
  );
  return keep === 'start' ? `${kept.join('')}…` : `…${kept.reverse().join('')}`;
}

/** The text with spaces up to `width` columns. */
export function padText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + spaces : spaces + text;
}

/** A path as a person writes it, harmless: `~/x` for what is in the home folder. */
export function shortPath(path: string): string {
  const home = `${homedir()}/`;
  return harmless(path.startsWith(home) ? `~/${path.slice(home.length)}` : path);
}
