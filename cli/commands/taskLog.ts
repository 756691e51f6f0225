import type { Command } from 'commander';
import { VbatchError } from '../../server/protocol/errors.ts';
import { writeAll } from '../io.ts';
import { type Context, withExamples } from './context.ts';

interface LogOptions {
  follow?: true;
  stdout?: true;
  stderr?: true;
  attempt?: string;
}

/** `vctl task log ID`: stdout to stdout and stderr to stderr, in the order written (R36). */
export function addTaskLog(parent: Command, context: Context): void {
  const command = parent
    .command('log')
    .argument('<id>', 'id of a task, or the name of a run')
    .description("print what a task's command has written")
    .option('-f, --follow', 'go on until the task is done')
    .option('--stdout', 'only what it wrote to stdout')
    .option('--stderr', 'only what it wrote to stderr')
    .option('--attempt <n>', 'of this attempt instead of the latest')
    .action(async (id: string, options: LogOptions) => {
      const query = { stream: streamOf(options), follow: options.follow === true, ...attemptOf(options) };
      const client = await context.connect();
      const isWhole = query.follow && query.stream === 'both' && query.attempt === undefined;
      const chunks = isWhole ? client.followLog(id) : client.log(id, query);
      for await (const { stream, data } of chunks) await writeAll(context.io[stream], data);
    });
  withExamples(command, [
    'vctl task log training_pipeline-4k2m9/train',
    'vctl task log -f training_pipeline',
    'vctl task log --stderr --attempt 1 fan_out-4k2m9/a.csv > errors.txt',
  ]);
}

function streamOf({ stdout, stderr }: LogOptions): 'stdout' | 'stderr' | 'both' {
  if (stdout === stderr) return 'both';
  return stdout ? 'stdout' : 'stderr';
}

function attemptOf({ attempt }: LogOptions): { attempt?: number } {
  if (attempt === undefined) return {};
  if (!/^[1-9]\d{0,8}$/.test(attempt)) {
    throw new VbatchError(
      'usage',
      `--attempt ${JSON.stringify(attempt)}: expected the number of an attempt, from 1`,
    );
  }
  return { attempt: Number(attempt) };
}
