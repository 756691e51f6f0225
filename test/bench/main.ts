/** `npm run bench -- [--write] [MEASURE…]`: measures, prints, and with --write renews docs/benchmarks.md. */
import { Bench } from './bench.ts';
import { chain } from './chain.ts';
import { activation } from './extension/activation.ts';
import { logs } from './extension/logs.ts';
import { sidebar } from './extension/sidebar.ts';
import { fanOut } from './fanOut.ts';
import { graph } from './graph.ts';
import type { Measure, Row } from './measure.ts';
import { nestedCall } from './nestedCall.ts';
import { isInstalled } from './programs.ts';
import { figures, type Report, writeReport } from './report.ts';
import { sshCatchUp } from './ssh/catchUp.ts';
import { sshChain } from './ssh/chain.ts';
import { sshFanOut } from './ssh/fanOut.ts';
import { sshFarTask } from './ssh/farTask.ts';
import { sshFollow } from './ssh/follow.ts';
import { sshLargeFile } from './ssh/largeFile.ts';
import { sshLooking } from './ssh/looking.ts';
import { sshManyFiles } from './ssh/manyFiles.ts';
import { sshNested } from './ssh/nested.ts';
import { sshTask } from './ssh/task.ts';
import { sshWorkspace } from './ssh/workspace.ts';
import { startUp } from './startUp.ts';
import { storedTasks } from './storedTasks.ts';
import { submissions } from './submissions.ts';
import { describeSurroundings } from './surroundings.ts';
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
  sshTask,
  sshFanOut,
  sshNested,
  sshChain,
  sshFollow,
  sshCatchUp,
  sshFarTask,
  sshWorkspace,
  sshLooking,
  sshManyFiles,
  sshLargeFile,
  graph,
  activation,
  logs,
  sidebar,
  submissions,
  storedTasks,
  startUp,
];

/** The measures of these names, or all. Throws where a name is wrong. */
function chosen(names: readonly string[]): readonly Measure[] {
  for (const name of names) {
    if (all.some((measure) => measure.name === name)) continue;
    const known = all.map((measure) => measure.name).join(', ');
    throw new Error(`there is no measure "${name}"; there are ${known}`);
  }
  return names.length === 0 ? all : all.filter((measure) => names.includes(measure.name));
}

function readArguments(args: readonly string[]): { write: boolean; measures: readonly Measure[] } {
  const write = args.includes('--write');
  const measures = chosen(args.filter((argument) => argument !== '--write'));
  if (write && measures !== all)
    throw new Error('--write renews all of docs/benchmarks.md: name no measures with it');
  return { write, measures };
}

async function measureAll(bench: Bench, measures: readonly Measure[]): Promise<Report> {
  const surroundings = describeSurroundings(bench);
  const rows: Row[] = [];
  const skipped: string[] = [];
  for (const measure of measures) {
    const obstacle = obstacleTo(measure);
    if (obstacle !== null) {
      skipped.push(`**Not measured:** ${measure.name}, because ${obstacle}.`);
      continue;
    }
    console.error(`measuring ${measure.name}`);
    try {
      const measured = await measure.run(bench);
      rows.push(...measured);
      console.error(table(measured));
    } catch (error) {
      skipped.push(`**Not measured:** ${measure.name}, because it failed: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
  return { surroundings, measures, rows, skipped };
}

/** A clause that says why it cannot be measured here, or null. */
function obstacleTo({ needs, asRoot }: Measure): string | null {
  const missing = needs.filter((program) => !isInstalled(program));
  if (missing.length > 0) return `PATH does not lead to ${missing.join(' and ')}`;
  return asRoot && process.getuid?.() !== 0 ? 'only root can start an sshd for it' : null;
}

async function main(): Promise<void> {
  const { write, measures } = readArguments(process.argv.slice(2));
  const bench = new Bench();
  // Whatever the end is, even an error that nobody has caught.
  process.once('exit', () => bench.clear());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(130));
  const report = await measureAll(bench, measures);
  console.log(figures(report));
  if (write) writeReport(report);
}

await main().catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
// After a failure there may be children and sockets that would be waited for.
process.exit();
