/**
 * Runs inside the extension host, beside the extension: once a second it writes how long the event loop was blocked
 * at most, and the memory in use, into the file that VBATCH_BENCH_PROBE names. Ends when the host does.
 */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface Sample {
  /** Longest that the loop was blocked since the sample before. Milliseconds. */
  readonly blocked: number;
  /** Bytes. */
  readonly heap: number;
}

/** Between two looks at the loop. */
const resolution = 5;

/** Called by VS Code. */
export function run(): Promise<void> {
  const file = process.env.VBATCH_BENCH_PROBE ?? '';
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  setInterval(() => {
    const blocked = Math.max(0, delay.max / 1e6 - resolution);
    delay.reset();
    const sample: Sample = { blocked, heap: process.memoryUsage().heapUsed };
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
  }, 1_000);
  return new Promise(() => {});
}
