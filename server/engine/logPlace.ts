/** Where a byte of the output as a whole is in the two streams that it is made of. */
import type { LogStretch } from '../hosts/host.ts';
import type { LogPlace } from '../protocol/logQueries.ts';
import { attemptKey, isOver } from './logs.ts';
import type { TaskWatch } from './taskWatch.ts';

/** The place of a position in an attempt's output; before the first attempt there is none. */
export async function findPlace(
  source: TaskWatch,
  number: number,
  wanted: number | undefined,
): Promise<LogPlace> {
  const attempt = source.task().attempts[number - 1];
  if (attempt === undefined) return { attempt: 0, over: false, whole: true, ...placeIn([], wanted) };
  const logs = source.logs(attempt.allocation.host);
  const key = attemptKey(source.task().number, number);
  // Asked first: what arrives meanwhile is counted.
  const [over, whole] = [isOver(attempt), logs.isWhole(key)];
  return { attempt: number, over, whole, ...placeIn(await logs.order(key), wanted) };
}

/** @param wanted position in both streams; negative from the end; undefined for the end. */
export function placeIn(
  stretches: readonly LogStretch[],
  wanted: number | undefined,
): Pick<LogPlace, 'size' | 'position' | 'before'> {
  const size = { stdout: 0, stderr: 0 };
  for (const { stream, length } of stretches) size[stream] += length;
  const total = size.stdout + size.stderr;
  const position = Math.max(
    0,
    Math.min(total, wanted === undefined ? total : wanted < 0 ? total + wanted : wanted),
  );
  const before = { stdout: 0, stderr: 0 };
  let left = position;
  for (const { stream, length } of stretches) {
    before[stream] += Math.min(left, length);
    left -= Math.min(left, length);
  }
  return { size, position, before };
}
