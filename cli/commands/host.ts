import type { Command } from 'commander';
import { hostColumns } from '../render/columns.ts';
import { chooseOutput } from '../render/list.ts';
import { type Context, withExamples } from './context.ts';
import { addHostAdd } from './hostAdd.ts';
import { addHostCheck } from './hostCheck.ts';
import { addHostConnect, addHostDisconnect } from './hostConnect.ts';
import { addHostPrune } from './hostPrune.ts';
import { addHostRemove } from './hostRemove.ts';
import { addListOptions, type ListOptions, printList } from './listing.ts';

/** `vctl host list|add|remove|connect|disconnect|check|prune` */
export function addHosts(program: Command, context: Context): void {
  const group = program.command('host').description('machines that run tasks');
  addHostList(group, context);
  addHostAdd(group, context);
  addHostRemove(group, context);
  addHostConnect(group, context);
  addHostDisconnect(group, context);
  addHostCheck(group, context);
  addHostPrune(group, context);
}

function addHostList(group: Command, context: Context): void {
  const command = group
    .command('list')
    .description('list the hosts, with what of them is in use')
    .action(async (options: ListOptions) => {
      chooseOutput(options.output, hostColumns);
      const client = await context.connect();
      await printList(context, await client.hosts(), hostColumns, options);
    });
  withExamples(addListOptions(command), ['vctl host list', 'vctl host list -o json']);
}
