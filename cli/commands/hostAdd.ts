import type { Command } from 'commander';
import { VbatchError } from '../../server/protocol/errors.ts';
import { connectHost } from '../hostQuestions.ts';
import { shortPath } from '../render/text.ts';
import { type Context, withExamples } from './context.ts';
import { checkHost } from './hostCheck.ts';

interface AddOptions {
  ssh?: string;
  transport?: string;
  folder?: string;
  cpus?: string;
  memory?: string;
  gpus?: string;
  setup?: string;
  acceptNewKey?: boolean;
}

/** `vctl host add NAME` */
export function addHostAdd(group: Command, context: Context): void {
  const command = group
    .command('add')
    .argument('<name>', 'a name of your ~/.ssh/config, or any name together with --ssh')
    .description('write a host into your configuration file, connect to it and check it')
    .option('--ssh <target>', 'where to connect: USER@HOST:PORT')
    .option('--transport <transport>', 'ssh2 (built in) or system (the ssh program); chosen unless given')
    .option('--folder <path>', "where vbatch's files are kept there (~/.vbatch)")
    .option('--cpus <n>', 'CPUs that tasks may use; all that are found unless given')
    .option('--memory <size>', 'memory that tasks may use; all that is found unless given')
    .option('--gpus <n>', 'GPUs that tasks may use; all that are found unless given')
    .option('--setup <lines>', 'shell lines to run before every task there')
    .option('--accept-new-key', 'trust the key of a host that is met for the first time')
    .action(async (name: string, options: AddOptions) => {
      const client = await context.connect();
      const { file, changed } = await client.addHost({ name, host: entryOf(options) });
      const where = shortPath(file);
      context.io.stdout.write(
        changed ? `${name} is added to ${where}\n` : `${name} is in ${where} already\n`,
      );
      const { acceptNewKey = false } = options;
      try {
        await connectHost(context, client, name, { acceptNewKey });
      } catch (error) {
        throw error instanceof VbatchError ? withAdvice(error, name, where) : error;
      }
      await checkHost(context, client, name);
    });
  withExamples(command, [
    'vctl host add gpu-box',
    'vctl host add big --ssh me@10.0.0.5:2222 --cpus 64',
    'vctl host add gpu-box --accept-new-key       in a script',
  ]);
}

/** What the file is to say, in this order. What is no number stays as it is, for the server to say so. */
function entryOf({ ssh, transport, folder, cpus, memory, gpus, setup }: AddOptions): Record<string, unknown> {
  const number = (text: string | undefined) =>
    text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  const entry = { ssh, transport, folder, cpus: number(cpus), memory, gpus: number(gpus), setup };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

/** A host that is written down stays so: what is wrong may be mended, or may pass. */
function withAdvice({ code, message }: VbatchError, name: string, where: string): VbatchError {
  const advice =
    `${name} stays in ${where}: \`vctl host connect ${name}\` tries again, ` +
    `\`vctl host remove ${name}\` takes it out`;
  return new VbatchError(code, `${message.replace(/\.$/, '')}\n${advice}`);
}
