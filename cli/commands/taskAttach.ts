import type { Command } from 'commander';
import { VbatchError } from '../../server/protocol/errors.ts';
import { ownTerminal } from '../ownTerminal.ts';
import { Screen } from '../render/screen.ts';
import { harmless } from '../render/text.ts';
import { atTask, besideTask } from '../terminal.ts';
import { waitFor } from '../wait.ts';
import { type Context, withExamples } from './context.ts';

/** Of a task whose command may still come to run. */
const unended: ReadonlySet<string> = new Set(['PENDING', 'QUEUED', 'STARTING', 'RUNNING']);

/** `vctl task attach ID [-- COMMAND…]` */
export function addTaskAttach(parent: Command, context: Context): void {
  const command = parent
    .command('attach')
    .argument('<id>', 'id of a task, or the name of a run')
    .argument('[command...]', 'what to run beside it, instead of a shell')
    .passThroughOptions()
    .description("come back to a task's terminal; or open a shell beside it, in its surroundings")
    .action(async (name: string, words: string[]) => {
      const { io } = context;
      const terminal = ownTerminal(io);
      if (terminal === null)
        throw new VbatchError('refused', 'this needs a terminal in the foreground, as stdin and as stdout');
      const client = await context.connect();
      const { id, status, terminal: hasOwn } = await client.task(name);
      if (!unended.has(status)) throw new VbatchError('refused', `${id} is ${status}: its command has ended`);
      if (hasOwn && words.length === 0) {
        const sitDown = (screen: Screen) => atTask(id, 'vctl', { client, io, screen });
        const how = { program: 'vctl', follow: false, quiet: false, typing: false } as const;
        context.exitWith(await waitFor(id, client, io, { ...how, terminal: sitDown }));
        return;
      }
      const screen = new Screen(io);
      const { departed } = besideTask(id, terminal, words.length === 0 ? null : words, {
        client,
        io,
        screen,
      });
      const departure = await departed;
      if (departure.kind === 'failed') throw departure.error;
      if (departure.kind === 'lost')
        throw new VbatchError(
          'unreachable',
          `the terminal beside ${id} is gone: ${harmless(departure.reason)}`,
        );
      context.exitWith(departure.kind === 'left' ? 130 : (departure.exitCode ?? 1));
    });
  withExamples(command, [
    'vctl task attach training_pipeline-4k2m9/train',
    'vctl task attach training_pipeline-4k2m9/train -- nvidia-smi',
  ]);
}
