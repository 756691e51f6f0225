/**
 * The one reading of `vbatch [flags] [--] COMMAND [ARG…]` and the same for `vrun` (R1, R5): used by
 * the command line, and by the server for calls from inside tasks, which arrive as raw arguments.
 */
import { type Flags, helpText, type Program, parseFlags } from './commandLineFlags.ts';
import {
  commaList,
  cpuCount,
  environmentSettings,
  labelPairs,
  memorySize,
  plainText,
  shardCount,
  timeLimit,
  wholeNumber,
} from './commandLineValues.ts';
import { errorEntry, VbatchError } from './errors.ts';
import type { SubmissionInput } from './tasks.ts';

export type { Program } from './commandLineFlags.ts';

/** What a command line says about a task; who submits it, and from where, is the caller's to add. */
export type CommandLineSubmission = Omit<SubmissionInput, 'key' | 'environment' | 'directory' | 'workspace'>;

/** A call that submits a task. */
export interface SubmitCall {
  kind: 'submit';
  submission: CommandLineSubmission;
  /** `-C` as given, perhaps relative to the caller's directory; null where it is absent. */
  directory: string | null;
  /** Pass the task's output on. Implies `wait`. */
  follow: boolean;
  /** End with the task's code (R3). */
  wait: boolean;
  dryRun: boolean;
  quiet: boolean;
  /** Print the task as JSON instead of its id. */
  json: boolean;
  /** Run it in a terminal, which is the caller's to describe. */
  tty: boolean;
}

export type CommandLineCall =
  | SubmitCall
  /** Print `text` on stdout and exit 0. */
  | { kind: 'help' | 'version'; text: string }
  /** Print `message` on stderr, after the program's name, and exit 2. */
  | { kind: 'usage'; message: string };

export interface CommandLineContext {
  /** The caller's environment, for `-e NAME`: the value, or undefined where it is unset. */
  lookup: (name: string) => string | undefined;
  /** Flags from the script's `#VBATCH` lines; those on the command line win. */
  defaults?: readonly string[];
  version: string;
}

/** Reads one command line. Never throws, prints or exits; pure but for `context.lookup`. */
export function parseCommandLine(
  program: Program,
  words: readonly string[],
  context: CommandLineContext,
): CommandLineCall {
  try {
    const { flags, command } = parseFlags(program, words);
    if (flags.help) return { kind: 'help', text: helpText(program) };
    if (flags.version) return { kind: 'version', text: `${program} ${context.version}\n` };
    const defaults = context.defaults?.length ? parseFlags(program, context.defaults).flags : {};
    return submitCall(program, merged(defaults, flags), command, context);
  } catch (error) {
    if (error instanceof VbatchError && errorEntry(error.code).exitCode === 2) {
      return { kind: 'usage', message: error.message };
    }
    throw error;
  }
}

/**
 * Flags of the command line replace those of the script; labels and variables do so key by key. `-o json` says
 * nothing of results, so the script's globs hold beside it.
 */
function merged(defaults: Flags, given: Flags): Flags {
  const both: Flags = { ...defaults, ...given };
  if (defaults.labels && given.labels) both.labels = [...defaults.labels, ...given.labels];
  if (defaults.env && given.env) both.env = [...defaults.env, ...given.env];
  if (defaults.output && given.output?.every((word) => word === 'json'))
    both.output = [...defaults.output, ...given.output];
  return both;
}

function submitCall(
  program: Program,
  flags: Flags,
  command: readonly string[],
  context: CommandLineContext,
): SubmitCall {
  if (command.length === 0 || command[0] === '') {
    throw new VbatchError('usage', `no command to run; see \`${program} --help\``);
  }
  const outputs = outputsOf(flags);
  const follow = program === 'vrun' || flags.follow === true;
  const json = flags.output?.includes('json') === true;
  if (follow && json && !flags.dryRun) {
    throw new VbatchError('usage', "-o json does not go with the task's own output on stdout");
  }
  const wait = follow || flags.wait === true;
  const submission = {
    ...submissionOf(flags, context),
    ...(outputs.length > 0 && { outputs }),
    command: commandOf(flags, command),
    awaited: wait,
  };
  if (flags.tty) checkTerminal(program, submission);
  return {
    kind: 'submit',
    submission,
    directory: flags.directory === undefined ? null : plainText('-C', flags.directory, 4_096),
    follow,
    wait,
    dryRun: flags.dryRun === true,
    quiet: flags.quiet === true,
    json,
    tty: flags.tty === true,
  };
}

/** What `-o` says besides `json`. A name that could be a mistyped format is no glob. */
function outputsOf({ output = [] }: Flags): string[] {
  return output
    .filter((word) => word !== 'json')
    .map((word) => {
      if (/[*?[./]/.test(word)) return plainText('--output', word, 1_000);
      throw new VbatchError(
        'usage',
        `-o ${JSON.stringify(word)}: expected json, or a glob of results such as "*.csv" or results/`,
      );
    });
}

function checkTerminal(program: Program, { shards, retries }: CommandLineSubmission): void {
  if (program !== 'vrun')
    throw new VbatchError('usage', '-t is for vrun: a terminal needs somebody who waits at it');
  if (shards) throw new VbatchError('usage', '-t does not go with -N: shards cannot share one terminal');
  if (retries)
    throw new VbatchError(
      'usage',
      '-t does not go with --retries: what had a terminal is not started again by itself',
    );
}

function commandOf(flags: Flags, command: readonly string[]): string[] {
  return flags.shell ? ['sh', '-c', command.join(' ')] : [...command];
}

function submissionOf(flags: Flags, context: CommandLineContext): Omit<CommandLineSubmission, 'command'> {
  const submission: Omit<CommandLineSubmission, 'command'> = { dependencies: dependenciesOf(flags) };
  if (flags.name !== undefined) submission.name = plainText('--name', flags.name, 1_000);
  if (flags.pool !== undefined) submission.pool = plainText('--pool', flags.pool, 1_000);
  if (flags.labels) submission.labels = labelPairs('--labels', flags.labels);
  if (flags.env) submission.variables = environmentSettings('-e', flags.env, context.lookup);
  if (flags.priority !== undefined) {
    submission.priority = wholeNumber(
      '--priority',
      flags.priority,
      Number.MIN_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
      'a whole number; lower goes first',
    );
  }
  if (flags.time !== undefined) submission.timeLimit = timeLimit('--time', flags.time);
  if (flags.retries !== undefined) {
    submission.retries = wholeNumber('--retries', flags.retries, 0, 1_000, 'a whole number from 0 to 1000');
  }
  if (flags.cpus !== undefined) submission.cpus = cpuCount('--cpus', flags.cpus);
  if (flags.gpus !== undefined) {
    submission.gpus = wholeNumber('--gpus', flags.gpus, 0, 1_000, 'a whole number of GPUs');
  }
  if (flags.memory !== undefined) submission.memory = memorySize('--memory', flags.memory);
  if (flags.allowFailure) submission.allowFailure = true;
  if (flags.hold) submission.hold = true;
  return { ...submission, ...shardsOf(flags) };
}

function dependenciesOf(flags: Flags): NonNullable<CommandLineSubmission['dependencies']> {
  const expected = 'the name of a task, or several separated by commas';
  const named = (kind: 'success' | 'fail' | 'any', flag: string, texts: string[] | undefined) =>
    texts === undefined ? [] : commaList(flag, texts, expected).map((name) => ({ kind, name }));
  return [
    ...named('success', '--after-success', flags.afterSuccess),
    ...named('fail', '--after-fail', flags.afterFail),
    ...named('any', '--after', flags.after),
  ];
}

function shardsOf(flags: Flags): Pick<CommandLineSubmission, 'shards' | 'gang'> {
  if (flags.totalShards === undefined) {
    if (flags.gang) throw new VbatchError('usage', '--gang needs -N: it says how many start together');
    return {};
  }
  const shards = shardCount('-N', flags.totalShards);
  if (flags.gang && shards.limit !== null && shards.limit < shards.total) {
    throw new VbatchError(
      'usage',
      `--gang starts all ${shards.total} shards together, which -N ${flags.totalShards} forbids`,
    );
  }
  return { shards, gang: flags.gang === true };
}
