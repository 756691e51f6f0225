/** The commands of `vctl`. */
import { Command, CommanderError } from 'commander';
import { VbatchError } from '../server/protocol/errors.ts';
import { nearest } from '../server/protocol/nearest.ts';
import { addCompletion } from './commands/completion.ts';
import { type Context, withExamples } from './commands/context.ts';
import { addHosts } from './commands/host.ts';
import { addOpen } from './commands/open.ts';
import { addPools } from './commands/pool.ts';
import { addRuns } from './commands/run.ts';
import { addServer } from './commands/server.ts';
import { addTaskActions, addTaskPrune } from './commands/taskActions.ts';
import { addTaskAttach } from './commands/taskAttach.ts';
import { addTaskExplain } from './commands/taskExplain.ts';
import { addTaskGet } from './commands/taskGet.ts';
import { addTaskList, addTaskSearch } from './commands/taskList.ts';
import { addTaskLog } from './commands/taskLog.ts';
import { addTaskTree } from './commands/taskTree.ts';
import { addTaskWatch } from './commands/taskWatch.ts';

const taskCommands = [
  addTaskList,
  addTaskGet,
  addTaskTree,
  addTaskLog,
  addTaskWatch,
  addTaskAttach,
  addTaskSearch,
  addTaskExplain,
  addTaskActions,
  addTaskPrune,
];

/** The whole command line of `vctl`, ready to parse once. */
export function vctlProgram(context: Context, version: string): Command {
  const program = new Command('vctl')
    .description('Shows and steers what vbatch and vrun have submitted.')
    .version(`vctl ${version}`, '--version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ helpWidth: 100 })
    .configureOutput({
      writeOut: (text) => context.io.stdout.write(text),
      writeErr: (text) => context.io.stderr.write(text),
      // Reported once, by whoever catches it.
      outputError: () => {},
    });
  const task = program.command('task').description('tasks (the word `task` may be left out)');
  for (const add of taskCommands) add(task, context);
  addRuns(program, context);
  addOpen(program, context);
  addPools(program, context);
  addHosts(program, context);
  addServer(program, context);
  addCompletion(program, context);
  addShortForms(program, context);
  return withExamples(program, [
    'vctl task list',
    'vctl task watch training_pipeline',
    'vctl pool list -o wide',
  ]);
}

/** `vctl list` for `vctl task list`, and so on; the help shows the long forms. */
function addShortForms(program: Command, context: Context): void {
  const forms = new Command().enablePositionalOptions();
  for (const add of taskCommands) add(forms, context);
  for (const form of forms.commands)
    program.addCommand(form.copyInheritedSettings(program), { hidden: true });
}

/** Runs one command line of `vctl`. Usage errors are thrown as `VbatchError`. */
export async function runVctl(args: readonly string[], context: Context, version: string): Promise<void> {
  const program = vctlProgram(context, version);
  // Of the short forms, which commander hides, it would suggest none: `unknownCommand` does.
  program.showSuggestionAfterError(false);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw new VbatchError('usage', unknownCommand(error, program) ?? usageMessage(error));
  }
}

function unknownCommand(error: CommanderError, program: Command): string | null {
  const word = program.args[0];
  if (error.code !== 'commander.unknownCommand' || word === undefined) return null;
  const names = program.commands.map((command) => command.name());
  const near = names.includes(word) ? null : nearest(word, names);
  return near === null ? null : `unknown command '${word}'; did you mean ${near}?`;
}

/** commander's own message with its suggestion on the same line. */
function usageMessage(error: CommanderError): string {
  if (error.code === 'commander.help') return 'this needs a command; they are listed above';
  const [, message = '', near] =
    /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(error.message) ?? [];
  return near === undefined ? `${message}; see \`vctl --help\`` : `${message}; did you mean ${near}?`;
}
