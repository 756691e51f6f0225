import type { Command } from 'commander';
import { writeAll } from '../io.ts';
import { statusStyle, statusText } from '../render/status.ts';
import { harmless } from '../render/text.ts';
import { type Context, drawing, withExamples } from './context.ts';

/** `vctl task explain ID` (R19) */
export function addTaskExplain(parent: Command, context: Context): void {
  const command = parent
    .command('explain')
    .argument('<id>', 'id of a task, or the name of a run')
    .description('say why a task is where it is')
    .action(async (id: string) => {
      const client = await context.connect();
      const { id: found, status, sentences } = await client.explain(id);
      const { stdout } = context.io;
      const { colours } = drawing(context, stdout);
      const head = `${found}  ${statusStyle(status, colours)(statusText(status))}`;
      await writeAll(stdout, [head, ...sentences.map((each) => `  ${harmless(each)}`), ''].join('\n'));
    });
  withExamples(command, ['vctl task explain training_pipeline-4k2m9/train']);
}
