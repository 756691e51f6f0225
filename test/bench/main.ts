/** `npm run bench -- [--write] [MEASURE…]`: measures, prints, and with --write renews docs/benchmarks.md. */
import { loadavg } from 'node:os';
import { Bench } from './bench.ts';
import { chain } from './chain.ts';
import { fanOut } from './fanOut.ts';
import type { Measure, Row } from './measure.ts';
import { nestedCall } from './nestedCall.ts';
import { isInstalled } from './programs.ts';
import { describeMachine, writeReport } from './report.ts';
import { startUp } from './startUp.ts';
import { storedTasks } from './storedTasks.ts';
import { submissions } from './submissions.ts';
import { table } from './table.ts';
import { taskOverhead } from './taskOverhead.ts';
import { typedCommand } from './typedCommand.ts';

// What fills this process's memory comes last: a large process spawns others slowly.
const all: readonly Measure[] = [
  taskOverhead,
  nestedCall,
  typedCommand,
  fanOut,
  chain,
  submissions,
  storedTasks,
  startUp,
];

function chosen(names: readonly string[]): readonly Measure[] {
  for (const name of names) {
    if (all.some((measure) => measure.name === name)) continue;
    const known = all.map((measure) => measure.name).join(', ');
    throw new Error(`there is no measure "${name}"; there are ${known}`);
  }
  return names.length === 0 ? all : all.filter((measure) => names.includes(measure.name));
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const write = args.includes('--write');
  const measures = chosen(args.filter((argument) => argument !== '--write'));
  if (write && measures !== all)
    throw new Error('--write renews the whole document: give no measures with it');
  const bench = new Bench();
  process.once('SIGINT', () => {
    bench.clear();
    process.exit(130);
  });
  const rows: Row[] = [];
  const skipped: string[] = [];
  const load = loadavg()[0] ?? 0;
  try {
    for (const measure of measures) {
      const missing = measure.needs.filter((program) => !isInstalled(program));
      if (missing.length > 0) {
        skipped.push(`**Not measured:** ${measure.name}, because ${missing.join(' and ')} is not on PATH.`);
        continue;
      }
      console.error(`measuring ${measure.name}`);
      rows.push(...(await measure.run(bench)));
    }
    const places = [bench.memory, bench.disk];
    console.log([describeMachine({ places, load }), table(rows), ...skipped].join('\n\n'));
    if (write) writeReport({ places, load, measures, rows, skipped });
  } finally {
    bench.clear();
  }
}

await main();
