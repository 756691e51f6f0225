import type { Command } from 'commander';
import { connectHost } from '../hostQuestions.ts';
import { type Context, withExamples } from './context.ts';

/** `vctl host connect NAME` */
export function addHostConnect(group: Command, context: Context): void {
  const command = group
    .command('connect')
    .argument('<host>', 'name of a host')
    .description('connect to a host now, and answer what it asks')
    .option('--accept-new-key', 'trust the key of a host that is met for the first time')
    .action(async (name: string, { acceptNewKey = false }: { acceptNewKey?: boolean }) => {
      const client = await context.connect();
      await connectHost(context, client, name, { acceptNewKey });
      context.io.stdout.write(`${name} is online\n`);
    });
  withExamples(command, ['vctl host connect gpu-box']);
}

/** `vctl host disconnect NAME` */
export function addHostDisconnect(group: Command, context: Context): void {
  const command = group
    .command('disconnect')
    .argument('<host>', 'name of a host')
    .description('let go of a host until it is connected again; what runs there goes on')
    .action(async (name: string) => {
      const client = await context.connect();
      const { running } = await client.disconnectHost(name);
      const goesOn =
        running === 0 ? '' : `; ${running === 1 ? '1 task goes' : `${running} tasks go`} on there`;
      context.io.stdout.write(`${name} is disconnected${goesOn}\n`);
    });
  withExamples(command, ['vctl host disconnect gpu-box']);
}
