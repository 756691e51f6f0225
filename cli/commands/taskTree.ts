import type { Command } from 'commander';
import type { TaskView } from '../../server/protocol/tasks.ts';
import { writeAll } from '../io.ts';
import { treeLines } from '../render/tree.ts';
import { type Context, drawing, withExamples } from './context.ts';
import { addListOptions, type ListOptions, printTasks } from './listing.ts';

/** More siblings than this that ended alike are one line. */
const foldAbove = 20;
/** How many runs `vctl task tree` shows when no task is named. */
const newestRuns = 10;
/** Most tasks of one tree that are fetched and drawn. */
const treeLimit = 10_000;

/** `vctl task tree [ID]` */
export function addTaskTree(parent: Command, context: Context): void {
  const command = addListOptions(parent.command('tree'))
    .argument('[id]', `task at the top; without it, the ${newestRuns} newest runs`)
    .description('draw a task and everything below it')
    .option(
      '--all',
      `show every task, where more than ${foldAbove} siblings in one state are a line otherwise`,
    )
    .action(async (id: string | undefined, { all, ...list }: ListOptions & { all?: true }) => {
      const client = await context.connect();
      const roots =
        id === undefined
          ? (await client.list({ top: true, limit: newestRuns })).tasks.map((run) => run.id)
          : [id];
      const tasks: TaskView[] = [];
      for (const root of roots) {
        const tree = await client.tree(root, treeLimit);
        tasks.push(...tree);
        if (tree.length === treeLimit) {
          context.io.stderr.write(`vctl: only the first ${treeLimit} tasks of ${root} are shown\n`);
        }
      }
      if (list.output !== undefined) {
        await printTasks(context, { tasks, next: null }, list);
        return;
      }
      const { stdout } = context.io;
      const options = { ...drawing(context, stdout), foldAbove: all ? Number.POSITIVE_INFINITY : foldAbove };
      await writeAll(
        stdout,
        treeLines(tasks, options)
          .map((line) => `${line}\n`)
          .join(''),
      );
    });
  withExamples(command, [
    'vctl task tree',
    'vctl task tree training_pipeline',
    'vctl task tree fan_out-4k2m9 --all',
    'vctl task tree fan_out-4k2m9 -o id,status',
  ]);
}
