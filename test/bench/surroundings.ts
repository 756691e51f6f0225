/** Where figures come from: without it they say little. */
import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, realpathSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Bench, Place } from './bench.ts';
import { median } from './rounds.ts';

const probes = 100;
const line = Buffer.alloc(200, 'x');

/** A paragraph on this machine as it is now. To be asked for before anything is measured. */
export function describeSurroundings(bench: Bench): string {
  const memory = Math.round(totalmem() / 1024 ** 3);
  const load = loadavg()[0] ?? 0;
  return [
    new Date().toISOString().slice(0, 10),
    `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${memory} GiB, load average ${load.toFixed(1)} before the first measurement`,
    `Linux ${release()}, Node ${process.versions.node}, /bin/sh is ${realpathSync('/bin/sh')}`,
    describePlace(bench, bench.memory),
    `${describePlace(bench, bench.disk)}.`,
  ].join('; ');
}

/** What a place takes for what each task does several times there. */
function describePlace(bench: Bench, place: Place): string {
  const folder = bench.folder(place);
  const kind = execFileSync('stat', ['-f', '-c', '%T', folder], { encoding: 'utf8' }).trim();
  const made = median(Array.from({ length: probes }, (_, i) => newFile(join(folder, `${i}`))));
  const file = openSync(join(folder, 'journal'), 'w');
  const synced = median(Array.from({ length: probes }, () => syncedLine(file)));
  closeSync(file);
  return `${place.name} is ${kind}: a new file ${made.toFixed(2)} ms, a synced line ${synced.toFixed(2)} ms`;
}

function newFile(path: string): number {
  const start = performance.now();
  closeSync(openSync(path, 'wx'));
  return performance.now() - start;
}

function syncedLine(file: number): number {
  const start = performance.now();
  writeSync(file, line);
  fdatasyncSync(file);
  return performance.now() - start;
}
