import { describe, expect, it } from 'vitest';
import {
  type CommandLineSubmission,
  parseCommandLine,
  type SubmitCall,
} from '../../../server/protocol/commandLine.ts';
import { allFlags } from '../../../server/protocol/commandLineFlags.ts';
import { submissionSchema } from '../../../server/protocol/tasks.ts';

const environment: Record<string, string> = { HOME: '/home/ada', EMPTY: '' };
const lookup = (name: string) => environment[name];
const version = '1.2.3';

function parse(words: string[], program: 'vbatch' | 'vrun' = 'vbatch', defaults?: string[]) {
  return parseCommandLine(program, words, { lookup, version, defaults });
}

function submit(words: string[], program: 'vbatch' | 'vrun' = 'vbatch', defaults?: string[]): SubmitCall {
  const call = parse(words, program, defaults);
  if (call.kind !== 'submit') throw new Error(`not a submission: ${JSON.stringify(call)}`);
  return call;
}

function usage(words: string[], program: 'vbatch' | 'vrun' = 'vbatch', defaults?: string[]): string {
  const call = parse(words, program, defaults);
  return call.kind === 'usage' ? call.message : `not a usage error: ${JSON.stringify(call)}`;
}

describe('R1 where the flags end', () => {
  it.each([
    ['R1 at the first positional', ['-P', 'gpu-1', 'python', 'train.py', '--name', 'x']],
    ['R1 at --', ['-P', 'gpu-1', '--', 'python', 'train.py', '--name', 'x']],
  ])('%s', (_, words) => {
    const { submission } = submit(words);
    expect(submission.command).toEqual(['python', 'train.py', '--name', 'x']);
    expect(submission.pool).toBe('gpu-1');
    expect(submission.name).toBeUndefined();
  });

  it('R1 after -- a command may look like a flag, and its own -- is its own', () => {
    expect(submit(['--', '-x', '--', '-y']).submission.command).toEqual(['-x', '--', '-y']);
    expect(submit(['grep', '--', '-y']).submission.command).toEqual(['grep', '--', '-y']);
  });

  it('R1 arguments are kept as they are: empty, with newlines, and bytes that are not UTF-8', () => {
    const command = ['printf', '', ' a\n', "'", '\udc80\udcff', '--help'];
    expect(submit(command).submission.command).toEqual(command);
  });

  it('R1 a lone dash is a command', () => {
    expect(submit(['-q', '-', '-x']).submission.command).toEqual(['-', '-x']);
  });

  it('R1 a call without a command is wrong usage', () => {
    for (const words of [[], ['-P', 'x'], ['--'], ['']]) expect(usage(words)).toContain('no command to run');
  });
});

describe('R5 flags', () => {
  const cases: [string[], Partial<CommandLineSubmission>][] = [
    [['-P', 'gpu-1'], { pool: 'gpu-1' }],
    [['--pool=gpu-1'], { pool: 'gpu-1' }],
    [['-Pgpu-1'], { pool: 'gpu-1' }],
    [['-n', 'train'], { name: 'train' }],
    [['--name', '-odd'], { name: '-odd' }],
    [['--name', '--'], { name: '--' }],
    [['-n', '-pool'], { name: '-pool' }],
    [['-n=x'], { name: '=x' }],
    [
      ['--after-success', 'a,b', '--after-success', 'c'],
      {
        dependencies: [
          { kind: 'success', name: 'a' },
          { kind: 'success', name: 'b' },
          { kind: 'success', name: 'c' },
        ],
      },
    ],
    [
      ['--after-fail', '*.csv', '--after', 'x/y'],
      {
        dependencies: [
          { kind: 'fail', name: '*.csv' },
          { kind: 'any', name: 'x/y' },
        ],
      },
    ],
    [['-N', '8'], { shards: { total: 8, limit: null }, gang: false }],
    [['--total-shards', '8%2'], { shards: { total: 8, limit: 2 }, gang: false }],
    [['-N4', '--gang'], { shards: { total: 4, limit: null }, gang: true }],
    [['-l', 'a=1,b=', '--labels', 'c=x=y', '-l', 'a=2'], { labels: { a: '2', b: '', c: 'x=y' } }],
    [['--priority', '-5'], { priority: -5 }],
    [['--time', '90m'], { timeLimit: 5400 }],
    [['--time', '1-02:03:04'], { timeLimit: 93784 }],
    [['--retries', '3'], { retries: 3 }],
    [['--allow-failure'], { allowFailure: true }],
    [['--cpus', '0.5', '--gpus', '2', '--memory', '8G'], { cpus: 0.5, gpus: 2, memory: 8 * 1024 ** 3 }],
    [
      ['-e', 'A=b=c', '-e', 'HOME', '--env', 'EMPTY', '-e', 'B='],
      { variables: { A: 'b=c', HOME: '/home/ada', EMPTY: '', B: '' } },
    ],
    [['--hold'], { hold: true }],
  ];

  it.each(cases)('R5 %j', (flags, expected) => {
    const { submission } = submit([...flags, 'true']);
    expect(submission).toEqual({ dependencies: [], awaited: false, command: ['true'], ...expected });
    expect(() => submissionSchema.parse({ ...submission, directory: '/' })).not.toThrow();
  });

  it('R5 -C is reported as it was given', () => {
    expect(submit(['-C', '../x', 'true']).directory).toBe('../x');
    expect(submit(['true']).directory).toBeNull();
  });

  it('R5 --shell joins the words for sh -c', () => {
    expect(submit(['--shell', 'ls | wc', '-l']).submission.command).toEqual(['sh', '-c', 'ls | wc -l']);
  });

  it('R3 R5 who waits: vrun, --follow and --wait', () => {
    const modes = (call: SubmitCall) => [call.follow, call.wait, call.submission.awaited];
    expect(modes(submit(['true']))).toEqual([false, false, false]);
    expect(modes(submit(['--wait', 'true']))).toEqual([false, true, true]);
    expect(modes(submit(['-f', 'true']))).toEqual([true, true, true]);
    expect(modes(submit(['true'], 'vrun'))).toEqual([true, true, true]);
  });

  it('R36 -t asks for a terminal, of vrun only, and for one attempt of one task', () => {
    expect(submit(['-t', 'top'], 'vrun').tty).toBe(true);
    expect(submit(['--tty', '-P', 'gpu-1', 'bash', '-t'], 'vrun')).toMatchObject({
      tty: true,
      submission: { command: ['bash', '-t'] },
    });
    expect(submit(['bash'], 'vrun').tty).toBe(false);
    expect(usage(['-t', 'top'])).toContain('-t is for vrun');
    expect(usage(['-t', '-N', '2', 'top'], 'vrun')).toContain('-t does not go with -N');
    expect(usage(['-t', '--retries', '1', 'top'], 'vrun')).toContain('-t does not go with --retries');
    expect(submit(['-t', '--retries', '0', 'top'], 'vrun').tty).toBe(true);
  });

  it('R5 short flags may share a word, and the last one its value as well', () => {
    const call = submit(['-qfntrain', 'true']);
    expect([call.quiet, call.follow, call.submission.name]).toEqual([true, true, 'train']);
  });

  it('R5 modes of the call', () => {
    expect(submit(['--dry-run', '-q', '-o', 'json', 'true'])).toMatchObject({
      dryRun: true,
      quiet: true,
      json: true,
    });
    expect(submit(['true'])).toMatchObject({ dryRun: false, quiet: false, json: false });
  });

  it.each([
    [['--poool', 'x', 'true'], 'unknown flag --poool; did you mean --pool?'],
    [['--after-sucess=x', 'true'], 'unknown flag --after-sucess; did you mean --after-success?'],
    [['--xyzzy', 'true'], 'unknown flag --xyzzy; see `vbatch --help`'],
    [['-pool', 'x', 'true'], 'unknown flag -pool; did you mean --pool?'],
    [['-name', 'x', 'true'], 'unknown flag -name; did you mean --name?'],
    [['-qx', 'true'], 'unknown flag -x; see `vbatch --help`'],
    [['-5', 'true'], 'unknown flag -5; see `vbatch --help`'],
    [['-qfn'], '-n, --name needs a value; see `vbatch --help`'],
    [['-P'], '-P, --pool needs a value; see `vbatch --help`'],
    [['--gang=3', 'true'], '--gang takes no value'],
    [['--gang', 'true'], '--gang needs -N: it says how many start together'],
    [['--gang', '-N', '4%2', 'true'], '--gang starts all 4 shards together, which -N 4%2 forbids'],
    [
      ['-N', '0', 'true'],
      '-N "0": expected a number of shards from 1 to 100000, or N%K for at most K at once',
    ],
    [
      ['-N', '8%', 'true'],
      '-N "8%": expected a number of shards from 1 to 100000, or N%K for at most K at once',
    ],
    [
      ['-N', '8%0', 'true'],
      '-N "8%0": expected a number of shards from 1 to 100000, or N%K for at most K at once',
    ],
    [['-l', 'a', 'true'], '--labels "a": expected key=value, or several separated by commas'],
    [['-l', '=a', 'true'], '--labels "=a": expected key=value, or several separated by commas'],
    [
      ['--after', 'a,,b', 'true'],
      '--after "a,,b": expected the name of a task, or several separated by commas',
    ],
    [['--priority', 'high', 'true'], '--priority "high": expected a whole number; lower goes first'],
    [['--retries', '-1', 'true'], '--retries "-1": expected a whole number from 0 to 1000'],
    [['--cpus', '-1', 'true'], '--cpus "-1": expected a number such as 4 or 0.5'],
    [['--gpus', '1.5', 'true'], '--gpus "1.5": expected a whole number of GPUs'],
    [['--time', '0s', 'true'], '--time "0s": expected more time than none'],
    [['-e', 'NOPE', 'true'], '-e NOPE: NOPE is not set here; write -e NOPE=VALUE'],
    [['-e', '=x', 'true'], '-e "=x": expected NAME=VALUE, or NAME to pass on your own value'],
    [['-n', '', 'true'], '--name "": expected a value that is not empty'],
    [['-n', 'x'.repeat(1001), 'true'], '--name: 1001 characters are too many; at most 1000 are allowed'],
    [['-C', '', 'true'], '-C "": expected a value that is not empty'],
    [['-o', 'yaml', 'true'], '-o "yaml": expected json, or a glob of results such as "*.csv" or results/'],
    [['-f', '-o', 'json', 'true'], "-o json does not go with the task's own output on stdout"],
  ])('R5 %j is refused', (words, message) => {
    expect(usage(words)).toBe(message);
  });

  it.each([
    [
      ['--time', 'soon', 'true'],
      ['--time', '"soon"', '90m'],
    ],
    [
      ['--time', '90', 'true'],
      ['--time', '"90"', '90m'],
    ],
    [
      ['--memory', 'much', 'true'],
      ['--memory', '"much"', '32G'],
    ],
  ])('R5 the message for %j names flag, value and what is expected', (words, parts) => {
    for (const part of parts) expect(usage(words)).toContain(part);
  });

  it('R5 an error leaves nothing behind for the next call', () => {
    usage(['-e', 'A=1', '--poool', 'true']);
    expect(submit(['true']).submission).toEqual({ dependencies: [], awaited: false, command: ['true'] });
  });
});

describe('help and version', () => {
  it('help names every flag of R5 and shows examples', () => {
    for (const program of ['vbatch', 'vrun'] as const) {
      const call = parse(['--help'], program);
      if (call.kind !== 'help') throw new Error(call.kind);
      for (const { long } of allFlags) expect(call.text).toContain(long);
      expect(call.text).toContain(`Usage: ${program} [flags] [--] COMMAND [ARG…]`);
      expect(call.text).toContain('Examples:');
      for (const line of call.text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    }
  });

  it('help and version win over a missing command', () => {
    expect(parse(['-h']).kind).toBe('help');
    expect(parse(['--version'])).toEqual({ kind: 'version', text: 'vbatch 1.2.3\n' });
  });
});

describe('defaults from a script', () => {
  const defaults = [
    '-P',
    'cpu-4',
    '-n',
    'prep',
    '--after',
    'a',
    '-l',
    'x=1,y=1',
    '-e',
    'A=1',
    '--gang',
    '-N',
    '4',
  ];

  it('apply where the command line is silent', () => {
    expect(submit(['./x.sh'], 'vbatch', defaults).submission).toMatchObject({
      pool: 'cpu-4',
      name: 'prep',
      dependencies: [{ kind: 'any', name: 'a' }],
      shards: { total: 4, limit: null },
      gang: true,
      command: ['./x.sh'],
    });
  });

  it('give way to flags; labels and variables do so key by key', () => {
    const words = ['-P', 'gpu-1', '--after', 'b', '-l', 'x=2', '-e', 'B=2', '-N', '2', './x.sh'];
    expect(submit(words, 'vbatch', defaults).submission).toMatchObject({
      pool: 'gpu-1',
      name: 'prep',
      dependencies: [{ kind: 'any', name: 'b' }],
      labels: { x: '2', y: '1' },
      variables: { A: '1', B: '2' },
      shards: { total: 2, limit: null },
    });
  });

  it('say which results come back, unless the command line does', () => {
    const globs = ['-o', '*.csv', '-o', 'out/'];
    expect(submit(['./x.sh'], 'vbatch', globs).submission.outputs).toEqual(['*.csv', 'out/']);
    expect(submit(['-o', '*.txt', './x.sh'], 'vbatch', globs).submission.outputs).toEqual(['*.txt']);
    expect(submit(['-o', 'json', './x.sh'], 'vbatch', globs)).toMatchObject({
      json: true,
      submission: { outputs: ['*.csv', 'out/'] },
    });
  });

  it('are checked like flags', () => {
    expect(usage(['./x.sh'], 'vbatch', ['--retries', 'x'])).toContain('--retries "x"');
  });
});
