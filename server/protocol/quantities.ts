/** Sizes and durations as people write them, on the command line and in the configuration alike. */
import { VbatchError } from './errors.ts';

/** What a size looks like: `32G`, `1.5TiB`, `1048576`. Spelt without flags, as JSON Schema needs it. */
export const sizePattern = /^\d{1,16}[bB]?$|^\d{1,16}(?:\.\d{1,9})?[kKmMgGtTpP](?:[iI]?[bB])?$/;

const amount = String.raw`\d{1,9}(?:\.\d{1,3})?`;
const withUnits = `(?=.)(?:${amount}d)?(?:${amount}h)?(?:${amount}m)?(?:${amount}s)?`;
const clock = /^(?:(?:(\d{1,9})-)?(\d{1,9}):)?(\d{1,9}):(\d{2})$/;
/** What a duration looks like: `1h30m`, units from the largest to the smallest, or `D-HH:MM:SS`. */
export const durationPattern = new RegExp(`^${withUnits}$|${clock.source}`);

export const sizeExamples = '32G, 512M, 1.5T or a plain number of bytes';
export const durationExamples = '10s, 90m, 2h, 1d or D-HH:MM:SS';

const sizeUnits = ['', 'K', 'M', 'G', 'T', 'P'];
const durationUnits = { d: 86_400, h: 3_600, m: 60, s: 1 };

/**
 * Bytes. Units are powers of 1024, and `G`, `GB` and `GiB` mean the same, in capitals or not.
 * Throws `usage`.
 */
export function parseSize(text: string): number {
  const quoted = JSON.stringify(text);
  if (!sizePattern.test(text))
    throw new VbatchError('usage', `${quoted} is not a size: write ${sizeExamples}`);
  const unit = /[kmgtp]/i.exec(text)?.[0].toUpperCase() ?? '';
  const bytes = Math.round(Number.parseFloat(text) * 1024 ** sizeUnits.indexOf(unit));
  if (!Number.isSafeInteger(bytes)) throw new VbatchError('usage', `${quoted} is too large for a size`);
  return bytes;
}

/**
 * Seconds, to the millisecond. `90m`, `1h30m`, or `MM:SS`, `HH:MM:SS` and `D-HH:MM:SS` as Slurm's
 * `--time` takes them. A number without a unit is refused: Slurm means minutes by it, `timeout`
 * means seconds. Throws `usage`.
 */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text);
  if (/^\d+$/.test(text)) {
    throw new VbatchError(
      'usage',
      `${quoted} has no unit: write ${text}s for seconds or ${text}m for minutes`,
    );
  }
  const fields = clock.exec(text);
  const seconds = fields ? clockSeconds(fields) : durationPattern.test(text) ? unitSeconds(text) : null;
  if (seconds === null)
    throw new VbatchError('usage', `${quoted} is not a duration: write ${durationExamples}`);
  return seconds;
}

/** Null where a field is too large for its place, such as the 90 of `1:90`. */
function clockSeconds([, days, hours, minutes, seconds]: RegExpExecArray): number | null {
  if (Number(seconds) > 59) return null;
  if (hours !== undefined && Number(minutes) > 59) return null;
  if (days !== undefined && Number(hours) > 23) return null;
  const { d, h, m } = durationUnits;
  return Number(days ?? 0) * d + Number(hours ?? 0) * h + Number(minutes) * m + Number(seconds);
}

function unitSeconds(text: string): number {
  let milliseconds = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)([dhms])/g)) {
    milliseconds += Math.round(Number(number) * 1_000 * durationUnits[unit as keyof typeof durationUnits]);
  }
  return milliseconds / 1_000;
}

/** Bytes for a person, to one decimal: `32G`, `1.5T`, `0`. `parseSize` reads it. */
export function formatSize(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  // What would be rounded up to 1024 of a unit is one of the next.
  while (tenths(amount) >= 1024 && unit < sizeUnits.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return unit === 0 ? String(Math.round(bytes)) : `${tenths(amount)}${sizeUnits[unit]}`;
}

/** A count within a sentence: `1,204`. The first number that `Intl` writes keeps everything waiting for 20 ms. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A size within a sentence: `48 MB`. */
export function sizeText(bytes: number): string {
  return formatSize(bytes).replace(/[A-Z]?$/, (unit) => (unit === '' ? ' bytes' : ` ${unit}B`));
}

/**
 * Seconds for a person: to the tenth below ten seconds, to the second above: `0.3s`, `12s`, `1h30m`.
 * `parseDuration` reads it.
 */
export function formatDuration(seconds: number): string {
  let rest = seconds < 9.95 ? tenths(seconds) : Math.round(seconds);
  let text = '';
  for (const [unit, length] of Object.entries(durationUnits)) {
    const amount = unit === 's' ? rest : Math.floor(rest / length);
    rest -= amount * length;
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text === '' ? '0s' : text;
}

function tenths(amount: number): number {
  return Math.round(amount * 10) / 10;
}
