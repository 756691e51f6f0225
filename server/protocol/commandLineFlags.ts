/** The flags of `vbatch` and `vrun` (R5) as commander knows them: no value is checked here. */
import { Command, CommanderError, Option } from 'commander';
import { VbatchError } from './errors.ts';
import { nearest } from './nearest.ts';

export type Program = 'vbatch' | 'vrun';

/** What was written after each flag. An absent flag was not given. */
export interface Flags {
  pool?: string;
  name?: string;
  afterSuccess?: string[];
  afterFail?: string[];
  after?: string[];
  totalShards?: string;
  gang?: true;
  labels?: string[];
  priority?: string;
  time?: string;
  retries?: string;
  allowFailure?: true;
  cpus?: string;
  gpus?: string;
  memory?: string;
  directory?: string;
  env?: string[];
  shell?: true;
  follow?: true;
  wait?: true;
  hold?: true;
  dryRun?: true;
  quiet?: true;
  output?: string;
  help?: true;
  version?: true;
}

type Definition = readonly [flags: string, description: string, repeatable?: 'repeatable'];

const groups: readonly (readonly [heading: string, definitions: readonly Definition[]])[] = [
  [
    'What it is:',
    [
      ['-n, --name <name>', 'name of the task; without it, the name of what it runs'],
      ['-l, --labels <k=v,…>', 'labels to search by; repeatable', 'repeatable'],
    ],
  ],
  [
    'When it runs:',
    [
      ['--after-success <task,…>', 'only if these tasks succeed; repeatable', 'repeatable'],
      ['--after-fail <task,…>', 'only if these tasks fail; repeatable', 'repeatable'],
      ['--after <task,…>', 'when these tasks are done, however they ended; repeatable', 'repeatable'],
      ['--priority <n>', 'lower goes first within a pool (0)'],
      ['--hold', 'wait until `vctl task release`'],
    ],
  ],
  [
    'Where it runs:',
    [
      ['-P, --pool <pool>', 'pool to run in; see `vctl pool list`'],
      ['--cpus <n>', "CPUs, in place of the pool's"],
      ['--gpus <n>', "GPUs, in place of the pool's"],
      ['--memory <size>', "memory such as 8G, in place of the pool's"],
      ['-C, --directory <dir>', 'working directory'],
      ['-e, --env <k[=v]>', 'set a variable, or pass yours on; repeatable', 'repeatable'],
      ['--shell', 'join the words with spaces and let `sh -c` run them'],
    ],
  ],
  [
    'How it runs:',
    [
      ['-N, --total-shards <n[%k]>', 'run it n times, at most k at once; VBATCH_SHARD_ID counts from 0'],
      ['--gang', 'start all shards together or none'],
      ['--time <limit>', 'end it after 90m, 1h30m or D-HH:MM:SS'],
      ['--retries <n>', 'after a failure, try up to n times more (0)'],
      ['--allow-failure', 'its failure does not fail the task that submits it'],
    ],
  ],
  [
    'This call:',
    [
      ['-f, --follow', 'show its output here and exit with its code'],
      ['--wait', 'wait for its end and exit with its code'],
      ['--dry-run', 'check everything, submit nothing'],
      ['-q, --quiet', 'print no notes'],
      ['-o, --output <format>', 'json: print the task instead of its id'],
      ['-h, --help', 'show this help'],
      ['--version', 'show the version'],
    ],
  ],
];

const summaries: Record<Program, string> = {
  vbatch: 'Submits a task and prints its id.',
  vrun: 'Submits a task, waits for it, and passes on its output and its exit code.',
};

const examples: Record<Program, string> = {
  vbatch: `Examples:
  vbatch ./pipeline.sh
  vbatch -P gpu-1 --name train --after-success prep python train.py --epochs 10
  vbatch -N 100%8 -P cpu-4 python process_shard.py
  vbatch --shell 'sort data.txt | uniq -c > counts.txt'`,
  vrun: `Examples:
  vrun -P cpu-8 python process_file.py data.csv
  ls *.csv | xargs -P 8 -I {} vrun --name {} ./convert.sh {}`,
};

const parsers = new Map<Program, Command>();

/** One commander per program, made once: making it costs three times as much as parsing with it. */
function parserOf(program: Program): Command {
  const known = parsers.get(program);
  if (known !== undefined) return known;
  const parser = new Command(program)
    .usage('[flags] [--] COMMAND [ARG…]')
    .description(summaries[program])
    .argument('[command...]')
    .passThroughOptions()
    .helpOption(false)
    .exitOverride()
    .configureHelp({ helpWidth: 100, visibleArguments: () => [] })
    .configureOutput({ writeErr: () => {} });
  for (const [heading, definitions] of groups) {
    for (const [flags, description, repeatable] of definitions) {
      const option = new Option(flags, description).helpGroup(heading);
      if (repeatable)
        option.argParser((word: string, words: string[] | undefined) => [...(words ?? []), word]);
      parser.addOption(option);
    }
  }
  parsers.set(program, parser);
  return parser;
}

/** Flags and command of a call. Throws `usage` for an unknown flag or one without its value. */
export function parseFlags(program: Program, words: readonly string[]): { flags: Flags; command: string[] } {
  const parser = parserOf(program);
  try {
    parser.parse(words, { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usageError(program, error) : error;
  }
  const before = words.slice(0, words.length - parser.args.length);
  const misspelt = before.find((word) => isLongFlagWithOneDash(program, word));
  if (misspelt !== undefined) {
    throw new VbatchError('usage', `unknown flag ${misspelt}; did you mean -${misspelt}?`);
  }
  return { flags: parser.opts<Flags>(), command: parser.args };
}

/** `-name` would otherwise be read as `-n ame`, silently. */
function isLongFlagWithOneDash(program: Program, word: string): boolean {
  return /^-[a-z][a-z-]+$/.test(word) && flagsOf(program).some((flag) => flag.long === `-${word}`);
}

/** Our wording for what commander found wrong; it quotes the flag in its own. */
function usageError(program: Program, error: CommanderError): VbatchError {
  const quoted = /'(.*)'/s.exec(error.message)?.[1] ?? '';
  if (error.code === 'commander.unknownOption') {
    const flag = quoted.split('=')[0] as string;
    const names = flagsOf(program).map(({ long }) => long);
    if (names.includes(flag)) return new VbatchError('usage', `${flag} takes no value`);
    const near = nearest(`--${flag.replace(/^-+/, '')}`, names);
    const hint = near === null ? `see \`${program} --help\`` : `did you mean ${near}?`;
    return new VbatchError('usage', `unknown flag ${flag}; ${hint}`);
  }
  if (error.code === 'commander.optionMissingArgument') {
    return new VbatchError('usage', `${quoted.split(' <')[0]} needs a value; see \`${program} --help\``);
  }
  return new VbatchError('usage', error.message.replace(/^error: /, ''));
}

/** The text that `--help` shows. */
export function helpText(program: Program): string {
  return `${parserOf(program).helpInformation()}\n${examples[program]}\n`;
}

/** A flag as completions and error messages need it. */
export interface FlagInfo {
  long: string;
  short: string | undefined;
  takesValue: boolean;
  description: string;
}

/** All flags of a program, in the order of its help text. */
export function flagsOf(program: Program): FlagInfo[] {
  return parserOf(program).options.map((option) => ({
    long: option.long ?? '',
    short: option.short,
    takesValue: option.required,
    description: option.description,
  }));
}
