/**
 * The flags of `vbatch` and `vrun` (R5), read as GNU programs read theirs; no value is checked here.
 * Not with commander, as `vctl` is: loading it takes 3 ms, a twelfth of a call at a prompt. Node's
 * own `parseArgs` does not stop at the command, and takes seconds where that has 100,000 arguments.
 */
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
  tty?: true;
  follow?: true;
  wait?: true;
  hold?: true;
  dryRun?: true;
  quiet?: true;
  output?: string[];
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
      ['-t, --tty', 'vrun: give it a terminal, as `ssh -t` does; `vrun bash` does so'],
      ['--dry-run', 'check everything, submit nothing'],
      ['-q, --quiet', 'print no notes'],
      [
        '-o, --output <json|glob>',
        'json: print the task, not its id; a glob: results to bring back',
        'repeatable',
      ],
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
  vrun -P gpu-1 bash
  ls *.csv | xargs -P 8 -I {} vrun --name {} ./convert.sh {}`,
};

/** A flag as completions and messages need it. */
export interface FlagInfo {
  /** `-n, --name`, or the long one alone. */
  names: string;
  long: string;
  short: string | undefined;
  takesValue: boolean;
  repeatable: boolean;
  description: string;
}

/** All flags of either program, in the order of the help text. */
export const allFlags: readonly FlagInfo[] = groups.flatMap(([, definitions]) => definitions.map(flagOf));

function flagOf([text, description, repeatable]: Definition): FlagInfo {
  const [names = '', value] = text.split(' <');
  const [long = '', short] = names.split(', ').reverse();
  const takesValue = value !== undefined;
  return { names, long, short, takesValue, repeatable: repeatable !== undefined, description };
}

/** Flags and command of a call. Throws `usage` for an unknown flag or one without its value. */
export function parseFlags(program: Program, words: readonly string[]): { flags: Flags; command: string[] } {
  const flags: Record<string, unknown> = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '--') return { flags, command: words.slice(at + 1) };
    if (!word.startsWith('-') || word === '-') return { flags, command: words.slice(at) };
    for (const { flag, attached } of flagsIn(program, word)) {
      if (!flag.takesValue && attached !== undefined) {
        throw new VbatchError('usage', `${flag.long} takes no value`);
      }
      const value = flag.takesValue ? (attached ?? words[++at]) : true;
      if (value === undefined) {
        throw new VbatchError('usage', `${flag.names} needs a value; see \`${program} --help\``);
      }
      const key = keyOf(flag);
      flags[key] = flag.repeatable ? [flags[key] ?? [], value].flat() : value;
    }
  }
  return { flags, command: [] };
}

/** A flag, with the value that stands in the same word. */
interface WrittenFlag {
  flag: FlagInfo;
  attached: string | undefined;
}

/** The flags in one word: one long flag, or short ones, the last of which may take a value. */
function flagsIn(program: Program, word: string): WrittenFlag[] {
  if (word.startsWith('--')) {
    const end = word.indexOf('=');
    if (end < 0) return [{ flag: knownFlag(program, word, word), attached: undefined }];
    return [{ flag: knownFlag(program, word.slice(0, end), word), attached: word.slice(end + 1) }];
  }
  const written: WrittenFlag[] = [];
  for (let at = 1; at < word.length; at++) {
    const flag = knownFlag(program, `-${word[at]}`, word);
    if (flag.takesValue) return [...written, { flag, attached: word.slice(at + 1) || undefined }];
    written.push({ flag, attached: undefined });
  }
  return written;
}

/**
 * The flag of this name. Throws `usage` where there is none.
 * @param word where the name was found: `-q` and `-f` are both in `-qf`.
 */
function knownFlag(program: Program, name: string, word: string): FlagInfo {
  const flag = allFlags.find(({ long, short }) => name === long || name === short);
  // `-name` would otherwise be read as `-n ame`, silently.
  if (flag !== undefined && !allFlags.some(({ long }) => long === `-${word}`)) return flag;
  // Of `-pool` not `-p` is unknown but all of it, and of `-qx` only `-x`.
  const unknown = word.startsWith(name) ? word.replace(/=.*/s, '') : name;
  const names = allFlags.map(({ long }) => long);
  const near = nearest(`--${unknown.replace(/^-+/, '')}`, names);
  const hint = near === null ? `see \`${program} --help\`` : `did you mean ${near}?`;
  throw new VbatchError('usage', `unknown flag ${unknown}; ${hint}`);
}

/** `--after-success` is `afterSuccess`. */
function keyOf({ long }: FlagInfo): keyof Flags {
  return long.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as keyof Flags;
}

/** The text that `--help` shows. */
export function helpText(program: Program): string {
  const width = Math.max(...groups.flatMap(([, definitions]) => definitions.map(([flags]) => flags.length)));
  const sections = groups.map(([heading, definitions]) =>
    [heading, ...definitions.map(([flags, description]) => `  ${flags.padEnd(width)}  ${description}`)].join(
      '\n',
    ),
  );
  const usage = `Usage: ${program} [flags] [--] COMMAND [ARG…]`;
  return `${[usage, summaries[program], ...sections, examples[program]].join('\n\n')}\n`;
}
