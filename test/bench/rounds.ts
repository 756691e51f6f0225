/** How figures are taken. */

/** The middle value; of an even count the higher of the two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * Takes the figure of each contender in turn, A B A B …, so that what else the machine does meanwhile
 * meets all of them, and gives their medians. A first round is not counted: it warms caches and compilers.
 */
export async function interleave<Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number>> {
  const taken = Object.entries<() => Promise<number>>(contenders).map(([name, take]) => ({
    name,
    take,
    values: [] as number[],
  }));
  for (const { take } of taken) await take();
  for (let round = 0; round < rounds; round++) {
    for (const { take, values } of taken) values.push(await take());
  }
  return Object.fromEntries(taken.map(({ name, values }) => [name, median(values)])) as Record<Name, number>;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Does `work` `count` times, up to `width` of them at once. */
export async function inFlight(width: number, count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}
