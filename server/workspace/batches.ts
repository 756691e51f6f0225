/** What is read, sent or fetched together: not many, and not much. */
export interface BatchLimits {
  readonly count: number;
  /** What is larger than this alone is alone. */
  readonly bytes: number;
}

/** Cuts a list into batches, in order. None is empty. */
export function inBatches<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  { count, bytes: most }: BatchLimits,
): T[][] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const last = batches.at(-1);
    const size = sizeOf(item);
    if (last && last.length < count && bytes + size <= most) {
      last.push(item);
      bytes += size;
    } else {
      batches.push([item]);
      bytes = size;
    }
  }
  return batches;
}
