/** Checks the values of flags. Every message names the flag, what was given and what is expected. */
import { VbatchError } from './errors.ts';
import { parseDuration, parseSize } from './quantities.ts';

function bad(flag: string, value: string, expected: string): VbatchError {
  return new VbatchError('usage', `${flag} ${JSON.stringify(value)}: expected ${expected}`);
}

/** A whole number within bounds. */
export function wholeNumber(flag: string, text: string, low: number, high: number, expected: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) throw bad(flag, text, expected);
  return value;
}

/** A number of CPUs: decimals allowed, because half a CPU is a common claim. */
export function cpuCount(flag: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw bad(flag, text, 'a number such as 4 or 0.5');
  return Number(text);
}

/** Bytes, from a text such as `8G`. */
export function memorySize(flag: string, text: string): number {
  return ofFlag(flag, () => parseSize(text));
}

/** Seconds, from `90m` or `D-HH:MM:SS`. More than none. */
export function timeLimit(flag: string, text: string): number {
  const seconds = ofFlag(flag, () => parseDuration(text));
  if (seconds === 0) throw bad(flag, text, 'more time than none');
  return seconds;
}

/** Puts the flag's name before the message of a value that could not be read. */
function ofFlag(flag: string, read: () => number): number {
  try {
    return read();
  } catch (error) {
    throw error instanceof VbatchError ? new VbatchError(error.code, `${flag}: ${error.message}`) : error;
  }
}

/** `N` or `N%K`: N shards, at most K at once. */
export function shardCount(flag: string, text: string): { total: number; limit: number | null } {
  const expected = 'a number of shards from 1 to 100000, or N%K for at most K at once';
  const [, total, limit] = /^(\d+)(?:%(\d+))?$/.exec(text) ?? [];
  const allowed = (digits: string) => Number(digits) >= 1 && Number(digits) <= 100_000;
  if (total === undefined || !allowed(total) || (limit !== undefined && !allowed(limit))) {
    throw bad(flag, text, expected);
  }
  return { total: Number(total), limit: limit === undefined ? null : Number(limit) };
}

/** The parts of comma lists, in order. */
export function commaList(flag: string, texts: readonly string[], expected: string): string[] {
  return texts.flatMap((text) => {
    const parts = text.split(',');
    if (parts.includes('')) throw bad(flag, text, expected);
    return parts;
  });
}

/** `k=v` pairs from comma lists; a later one replaces an earlier one of the same key. */
export function labelPairs(flag: string, texts: readonly string[]): Record<string, string> {
  const expected = 'key=value, or several separated by commas';
  const pairs = commaList(flag, texts, expected).map((part) => {
    const at = part.indexOf('=');
    if (at < 1) throw bad(flag, part, expected);
    return [part.slice(0, at), part.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/**
 * `K=V` settings, and `K` alone for the caller's own value of K.
 * @param lookup the caller's environment: the value of a variable, or undefined where it is unset.
 */
export function environmentSettings(
  flag: string,
  texts: readonly string[],
  lookup: (name: string) => string | undefined,
): Record<string, string> {
  const pairs = texts.map((text) => {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    if (name === '') throw bad(flag, text, 'NAME=VALUE, or NAME to pass on your own value');
    const value = at < 0 ? lookup(name) : text.slice(at + 1);
    if (value === undefined) {
      throw new VbatchError('usage', `${flag} ${name}: ${name} is not set here; write ${flag} ${name}=VALUE`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}

/** A text that is there at all, and no longer than `most` characters. */
export function plainText(flag: string, text: string, most: number): string {
  if (text === '') throw bad(flag, text, 'a value that is not empty');
  if (text.length > most) {
    throw new VbatchError(
      'usage',
      `${flag}: ${text.length} characters are too many; at most ${most} are allowed`,
    );
  }
  return text;
}
