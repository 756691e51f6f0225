/** Where in a log somebody wants to go. Knows nothing of VS Code. */
import { VbatchError } from '../../server/protocol/errors.ts';
import { parseSize, sizePattern } from '../../server/protocol/quantities.ts';

/**
 * The byte at which `50%` or `1.2G` of a log of this size is; what lies beyond the end is the end.
 * Null where the text says no such place.
 */
export function parsePosition(text: string, size: number): number | null {
  const typed = text.trim();
  const share = /^(\d{1,3}(?:\.\d{1,6})?)\s*%$/.exec(typed)?.[1];
  if (share !== undefined) return Math.floor((Math.min(100, Number(share)) / 100) * size);
  if (!sizePattern.test(typed)) return null;
  try {
    return Math.min(parseSize(typed), size);
  } catch (error) {
    if (error instanceof VbatchError) return size;
    throw error;
  }
}
