import type { Command } from 'commander';
import { type ErrorCode, errorEntry, VbatchError } from '../../server/protocol/errors.ts';
import { parseDuration } from '../../server/protocol/quantities.ts';
import type { ActionResult } from '../../server/protocol/tasks.ts';
import { harmless } from '../render/text.ts';
import { type Context, withExamples } from './context.ts';

const actions = {
  cancel: 'cancel tasks and everything below them',
  retry: 'run the failed part of tasks again',
  hold: 'keep tasks that have not started from starting',
  release: 'let held tasks go on',
} as const;

/** `vctl task cancel|retry|hold|release ID…`: each task by itself; one that is refused stops no other. */
export function addTaskActions(parent: Command, context: Context): void {
  for (const [name, description] of Object.entries(actions) as [keyof typeof actions, string][]) {
    const command = parent
      .command(name)
      .argument('<id...>', 'ids of tasks, or names of runs')
      .description(description)
      .action(async (ids: string[]) => {
        const client = await context.connect();
        for (const id of ids) await act(context, () => client[name](id));
      });
    withExamples(command, [`vctl task ${name} training_pipeline-4k2m9/train`]);
  }
}

async function act(context: Context, action: () => Promise<ActionResult>): Promise<void> {
  try {
    const { message } = await action();
    context.io.stdout.write(`${harmless(message)}\n`);
  } catch (error) {
    if (!(error instanceof VbatchError) || stopsAll.has(error.code)) throw error;
    context.io.stderr.write(`vctl: ${harmless(error.message)}\n`);
    context.exitWith(errorEntry(error.code).exitCode);
  }
}

/** After one of these the next task would only fail for the same reason. */
const stopsAll: ReadonlySet<ErrorCode> = new Set([
  'noServer',
  'unauthorized',
  'stateFailed',
  'diskFull',
  'internal',
]);

/** `vctl task prune` */
export function addTaskPrune(parent: Command, context: Context): void {
  const command = parent
    .command('prune')
    .description('remove finished runs with everything below them and their logs')
    .option('--older-than <time>', 'only runs that ended longer ago than this', '7d')
    .option('--keep <n>', 'of those, keep the newest n', '0')
    .action(async ({ olderThan, keep }: { olderThan: string; keep: string }) => {
      const before = new Date(context.now() - parseDuration(olderThan) * 1_000).toISOString();
      if (!/^\d{1,9}$/.test(keep)) {
        throw new VbatchError('usage', `--keep ${JSON.stringify(keep)}: expected a number of runs`);
      }
      const client = await context.connect();
      const { removed } = await client.prune({ before, keep: Number(keep) });
      const runs = removed.filter((id) => !id.includes('/')).length;
      context.io.stdout.write(`removed ${removed.length} tasks of ${runs} runs\n`);
    });
  withExamples(command, ['vctl task prune', 'vctl task prune --older-than 1h --keep 10']);
}
