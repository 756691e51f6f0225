import type { Command } from 'commander';
import { shortPath } from '../render/text.ts';
import { type Context, withExamples } from './context.ts';

/** `vctl host remove NAME [--force]` */
export function addHostRemove(group: Command, context: Context): void {
  const command = group
    .command('remove')
    .argument('<host>', 'name of a host')
    .description('take a host out of your configuration file')
    .option('--force', 'also while tasks run there: they go on, and the host goes when they have ended')
    .action(async (name: string, { force = false }: { force?: boolean }) => {
      const client = await context.connect();
      const { file } = await client.removeHost(name, force);
      context.io.stdout.write(`${name} is taken out of ${shortPath(file)}\n`);
    });
  withExamples(command, ['vctl host remove gpu-box']);
}
