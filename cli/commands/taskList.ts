import type { Command } from 'commander';
import { labelPairs } from '../../server/protocol/commandLineValues.ts';
import { taskColumns } from '../render/columns.ts';
import { chooseOutput } from '../render/list.ts';
import { type Context, withExamples } from './context.ts';
import { addPageOptions, type PageOptions, pageQuery, printTasks } from './listing.ts';

/** `vctl task list [ID]` */
export function addTaskList(parent: Command, context: Context): void {
  const command = parent
    .command('list')
    .argument('[id]', 'task whose children to list; without it, runs')
    .description('list runs, newest first, or the children of a task')
    .action(async (id: string | undefined, options: PageOptions) => {
      chooseOutput(options.output, taskColumns);
      const page = pageQuery(options);
      const client = await context.connect();
      const query = id === undefined ? { top: true } : { parent: id };
      await printTasks(context, await client.list({ ...query, ...page }), options);
    });
  withExamples(addPageOptions(command), [
    'vctl task list',
    'vctl task list training_pipeline-4k2m9 -o wide',
    'vctl task list -o id,status,reason --header=false',
  ]);
}

/** `vctl task search -l k=v [TEXT]` */
export function addTaskSearch(parent: Command, context: Context): void {
  const command = parent
    .command('search')
    .argument('[text]', 'a glob, or plain text within the name or the id')
    .description('find tasks at any depth by label, name or id, newest first')
    .option('-l, --labels <k=v,…>', 'only tasks with all of these labels; repeatable', collect)
    .action(async (text: string | undefined, options: PageOptions & { labels?: string[] }) => {
      chooseOutput(options.output, taskColumns);
      const labels = Object.entries(labelPairs('--labels', options.labels ?? []));
      const query = {
        ...(text === undefined ? {} : { text }),
        ...(labels.length === 0 ? {} : { label: labels.map(([key, value]) => `${key}=${value}`) }),
        ...pageQuery(options),
      };
      const client = await context.connect();
      await printTasks(context, await client.list(query), options);
    });
  withExamples(addPageOptions(command), [
    'vctl task search -l stage=train',
    "vctl task search '*.csv' -o id,status",
  ]);
}

function collect(word: string, words: string[] | undefined): string[] {
  return [...(words ?? []), word];
}
