/**
 * Runs inside the extension host, beside the extension: once a second it writes how long the event loop was blocked
 * at most, and the memory in use, into the file that VBATCH_BENCH_REPORT names. Ends when the host does.
 */
import { appendFileSync } from 'node:fs';
import { BlockMeter } from './blockMeter.ts';

export interface Sample {
  /** Longest that the loop was blocked since the sample before. Milliseconds. */
  readonly blocked: number;
  /** Bytes. */
  readonly heap: number;
}

/** Called by VS Code. */
export function run(): Promise<void> {
  const file = process.env.VBATCH_BENCH_REPORT ?? '';
  const meter = new BlockMeter();
  setInterval(() => {
    const sample: Sample = { blocked: meter.take(), heap: process.memoryUsage().heapUsed };
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
  }, 1_000);
  return new Promise(() => {});
}
