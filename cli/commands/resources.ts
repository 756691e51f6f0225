import type { Command } from 'commander';
import { hostColumns, poolColumns } from '../render/columns.ts';
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

/** `vctl host list` */
export function addHosts(program: Command, context: Context): void {
  const command = program
    .command('host')
    .description('machines that run tasks')
    .command('list')
    .description('list the hosts, with what of them is in use')
    .action(async (options: ListOptions) => {
      chooseOutput(options.output, hostColumns);
      const client = await context.connect();
      await printList(context, await client.hosts(), hostColumns, options);
    });
  withExamples(addListOptions(command), ['vctl host list', 'vctl host list -o json']);
}
