/** The flags and the printing that all lists share. */
import type { Command } from 'commander';
import { VbatchError } from '../../server/protocol/errors.ts';
import { taskJson } from '../../server/protocol/taskJson.ts';
import type { TaskList } from '../../server/protocol/tasks.ts';
import { writeAll } from '../io.ts';
import { type ColumnSet, taskColumns } from '../render/columns.ts';
import { chooseOutput, listTable, structured } from '../render/list.ts';
import { type Context, drawing } from './context.ts';

export interface ListOptions {
  output?: string;
  header?: string;
}

export interface PageOptions extends ListOptions {
  limit?: string;
  after?: string;
}

export function addListOptions(command: Command): Command {
  return command
    .option('-o, --output <format>', 'json, yaml, wide, or columns separated by commas')
    .option('--header <true|false>', 'whether a table begins with the names of its columns (true)');
}

export function addPageOptions(command: Command): Command {
  return addListOptions(command)
    .option('--limit <n>', 'most tasks on one page (100)')
    .option('--after <cursor>', 'go on after an earlier page');
}

/** `limit` and `after` as the server takes them. Throws `usage`. */
export function pageQuery(options: PageOptions): { limit?: number; after?: string } {
  const page: { limit?: number; after?: string } = {};
  if (options.limit !== undefined) {
    const limit = Number(options.limit);
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1_000)) {
      throw new VbatchError(
        'usage',
        `--limit ${JSON.stringify(options.limit)}: expected a number from 1 to 1000`,
      );
    }
    page.limit = limit;
  }
  if (options.after !== undefined) page.after = options.after;
  return page;
}

/** Prints items as `-o` and `--header` say. `forJson` gives what JSON and YAML show of an item. */
export async function printList<T>(
  context: Context,
  items: readonly T[],
  set: ColumnSet<T>,
  options: ListOptions,
  forJson: (item: T) => unknown = (item) => item,
): Promise<void> {
  const output = chooseOutput(options.output, set);
  const { stdout } = context.io;
  if (output.kind !== 'table') {
    await writeAll(stdout, await structured(output.kind, items.map(forJson)));
    return;
  }
  const header = headerOf(options);
  await writeAll(stdout, listTable(items, output.columns, { ...drawing(context, stdout), header }));
}

/** Prints a page of tasks, and on stderr how to get the next. */
export async function printTasks(context: Context, page: TaskList, options: PageOptions): Promise<void> {
  await printList(context, page.tasks, taskColumns, options, taskJson);
  if (page.next !== null) context.io.stderr.write(`vctl: there are more; add --after ${page.next}\n`);
}

function headerOf({ header = 'true' }: ListOptions): boolean {
  if (header !== 'true' && header !== 'false') {
    throw new VbatchError('usage', `--header ${JSON.stringify(header)}: expected true or false`);
  }
  return header === 'true';
}
