/**
 * Runs inside the extension host, beside the extension: once a second it writes how long the event loop was blocked
 * at most, and the memory in use, into the file that VBATCH_BENCH_PROBE names. Ends when the host does.
 */
import { appendFileSync } from 'node:fs';

export interface Sample {
  /** Longest that the loop was blocked since the sample before. Milliseconds. */
  readonly blocked: number;
  /** Bytes. */
  readonly heap: number;
}

/** Between two looks at the loop. Milliseconds. */
const resolution = 5;

/** Called by VS Code. */
export function run(): Promise<void> {
  const file = process.env.VBATCH_BENCH_PROBE ?? '';
  let before = performance.now();
  let usedBefore = process.cpuUsage();
  let blocked = 0;
  setInterval(() => {
    const now = performance.now();
    const used = process.cpuUsage(usedBefore);
    // What others do on a busy machine does not count: it was not blocked for longer than it had a processor.
    blocked = Math.max(blocked, Math.min(now - before - resolution, (used.user + used.system) / 1e3));
    before = now;
    usedBefore = process.cpuUsage();
  }, resolution);
  setInterval(() => {
    const sample: Sample = { blocked, heap: process.memoryUsage().heapUsed };
    blocked = 0;
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
  }, 1_000);
  return new Promise(() => {});
}
