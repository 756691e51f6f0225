import type { Command } from 'commander';
import type { Client } from '../../server/client/client.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { HostReport } from '../../server/protocol/hosts.ts';
import { writeAll } from '../io.ts';
import { structured } from '../render/list.ts';
import { reportText } from '../render/report.ts';
import { type Context, drawing, withExamples } from './context.ts';

/** `vctl host check [NAME…]` */
export function addHostCheck(group: Command, context: Context): void {
  const command = group
    .command('check')
    .argument('[host...]', 'names of hosts; all of them where none is given')
    .description('look at everything that matters on the way to hosts and on them')
    .option('-o, --output <format>', 'json or yaml')
    .action(async (given: string[], { output }: { output?: string }) => {
      if (output !== undefined && output !== 'json' && output !== 'yaml') {
        throw new VbatchError('usage', `-o ${JSON.stringify(output)}: expected json or yaml`);
      }
      const client = await context.connect();
      const names = given.length > 0 ? given : (await client.hosts()).map(({ name }) => name);
      const looking = names.map((name) => client.checkHost(name, context.workspace));
      // Each is printed as soon as those before it are; one that fails first is told in its turn.
      for (const report of looking) report.catch(() => {});
      const reports: HostReport[] = [];
      for (const report of looking) {
        reports.push(await report);
        if (output === undefined) await printReport(context, await report);
      }
      if (output !== undefined) await writeAll(context.io.stdout, await structured(output, reports));
      if (reports.some(hasFailed)) context.exitWith(1);
    });
  withExamples(command, ['vctl host check', 'vctl host check gpu-box -o json']);
}

/** Checks one host, prints the report, and makes a failure the program's. */
export async function checkHost(context: Context, client: Client, name: string): Promise<void> {
  const report = await client.checkHost(name, context.workspace);
  await printReport(context, report);
  if (hasFailed(report)) context.exitWith(1);
}

async function printReport(context: Context, report: HostReport): Promise<void> {
  const { stdout } = context.io;
  await writeAll(stdout, reportText(report, drawing(context, stdout).colours));
}

function hasFailed({ findings }: HostReport): boolean {
  return findings.some(({ status }) => status === 'failure');
}
