import type { Command } from 'commander';
import { poolColumns } from '../render/columns.ts';
import { chooseOutput } from '../render/list.ts';
import { type Context, withExamples } from './context.ts';
import { addListOptions, type ListOptions, printList } from './listing.ts';

/** `vctl pool list` */
export function addPools(program: Command, context: Context): void {
  const command = program
    .command('pool')
    .description('pools to run in')
    .command('list')
    .description('list the pools, with what runs and waits in each')
    .action(async (options: ListOptions) => {
      chooseOutput(options.output, poolColumns);
      const client = await context.connect();
      await printList(context, await client.pools(context.workspace), poolColumns, options);
    });
  withExamples(addListOptions(command), ['vctl pool list', 'vctl pool list -o name --header=false']);
}
