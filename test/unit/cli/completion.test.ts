import { Argument, Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type Candidate, type Completion, complete, type Sources } from '../../../cli/completion/complete.ts';
import { completionLines, joinedAtEquals } from '../../../cli/completion/scripts.ts';

function named(...texts: string[]): Candidate[] {
  return texts.map((text) => ({ text, description: '' }));
}

const sources: Sources = {
  pools: async () => named('cpu-4', 'gpu-1', 'gpu-2'),
  runNames: async () => named('prep', 'train'),
  hosts: async () => named('local', 'gpu-box'),
  sshNames: async () => named('gpu-box', 'big'),
  ids: async (parent) => (parent === null ? named('prep-1', 'train-2') : named(`${parent}/a`, `${parent}/b`)),
};

function vctl(): Command {
  const program = new Command('vctl').helpCommand(false);
  const task = program.command('task').description('tasks');
  task
    .command('list')
    .description('list runs')
    .argument('[id]')
    .option('-o, --output <format>')
    .option('--header <x>');
  task
    .command('get')
    .description('one task')
    .argument('<id>')
    .option('-o, --output <format>', 'json or yaml');
  const host = program.command('host').description('hosts');
  host.command('add').description('add').argument('<name>');
  host.command('check').description('check').argument('[host...]').option('-o, --output <format>');
  program.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh']));
  program.command('secret', { hidden: true });
  return program;
}

async function completed(...words: string[]): Promise<Completion> {
  return complete(words, vctl(), sources);
}

async function texts(...words: string[]): Promise<string[]> {
  return (await completed(...words)).candidates.map(({ text }) => text);
}

describe('completion of vbatch and vrun', () => {
  it.each([
    [
      ['vbatch', '-P', 'gpu'],
      ['gpu-1', 'gpu-2'],
    ],
    [
      ['/usr/bin/vrun', '--pool', ''],
      ['cpu-4', 'gpu-1', 'gpu-2'],
    ],
    [
      ['vbatch', '--pool=gp'],
      ['--pool=gpu-1', '--pool=gpu-2'],
    ],
    [
      ['vbatch', '--after-success', ''],
      ['prep', 'train'],
    ],
    [['vbatch', '--after', 'prep,t'], ['prep,train']],
    [['vbatch', '-q', '--after-f'], ['--after-fail']],
    [['vbatch', '-o', ''], ['json']],
    [['vbatch', '--name', ''], []],
  ])('%j → %j', async (words, expected) => {
    expect(await texts(...words)).toEqual(expected);
  });

  it('offers every flag with its description', async () => {
    const { candidates } = await completed('vbatch', '--');
    expect(candidates.length).toBeGreaterThan(20);
    for (const { text, description } of candidates) expect([text, description]).not.toContain('');
  });

  it.each([
    [['vbatch', ''], { command: 1 }],
    [['vbatch', '-P', 'gpu-1', '-q', 'py'], { command: 4 }],
    [['vbatch', '--pool=gpu-1', 'python', '--na'], { command: 2 }],
    [['vbatch', '--', '-x', ''], { command: 2 }],
    [['vbatch', '-C', 'wo'], 'directories'],
  ])('R1 %j leaves the rest to the shell: %j', async (words, delegate) => {
    expect(await completed(...words)).toEqual({ candidates: [], delegate });
  });
});

describe('completion of vctl', () => {
  it.each([
    [
      ['vctl', ''],
      ['task', 'host', 'completion'],
    ],
    [['vctl', 'se'], ['secret']],
    [['vctl', 'task', 'l'], ['list']],
    [
      ['vctl', 'task', 'get', ''],
      ['prep-1', 'train-2'],
    ],
    [
      ['vctl', 'task', 'get', 'prep-1/'],
      ['prep-1/a', 'prep-1/b'],
    ],
    [
      ['vctl', 'task', 'get', '-'],
      ['--output', '--help'],
    ],
    [
      ['vctl', 'task', 'get', '-o', ''],
      ['json', 'yaml'],
    ],
    [['vctl', 'task', 'list', '-o', 'id,exit'], ['id,exitCode']],
    [['vctl', 'task', 'list', '-o', 'j'], ['json']],
    [
      ['vctl', 'task', 'list', '--header', ''],
      ['true', 'false'],
    ],
    [['vctl', 'task', 'list', '-o', 'id', 'tr'], ['train-2']],
    [
      ['vctl', 'host', 'add', ''],
      ['gpu-box', 'big'],
    ],
    [['vctl', 'host', 'check', 'gpu-box', 'l'], ['local']],
    [
      ['vctl', 'host', 'check', '-o', ''],
      ['json', 'yaml'],
    ],
    [
      ['vctl', 'completion', ''],
      ['bash', 'zsh'],
    ],
  ])('%j → %j', async (words, expected) => {
    expect(await texts(...words)).toEqual(expected);
  });
});

describe('what the shells are told', () => {
  it('a line for each candidate, and last what they complete by themselves', () => {
    const candidates = [{ text: 'a', description: 'first\tone\nhere' }];
    expect(completionLines({ candidates, delegate: null })).toBe('a\tfirst one here\n:none\n');
    expect(completionLines({ candidates: [], delegate: 'directories' })).toBe(':directories\n');
    expect(completionLines({ candidates: [], delegate: { command: 3 } })).toBe(':command 3\n');
  });

  it('bash gets the part after = alone, which is how it splits words', () => {
    const { words, split } = joinedAtEquals(['vbatch', '--name', '=', 'x', '--pool', '=', 'gp']);
    expect(words).toEqual(['vbatch', '--name=x', '--pool=gp']);
    expect(split({ candidates: named('--pool=gpu-1'), delegate: null }).candidates).toEqual(named('gpu-1'));
    expect(joinedAtEquals(['vbatch', '--pool', '=']).words).toEqual(['vbatch', '--pool=']);
    expect(joinedAtEquals(['vbatch', '-e', 'A', '=', 'b']).words).toEqual(['vbatch', '-e', 'A', '=', 'b']);
  });

  it('bash counts words as it splits them', () => {
    const { split } = joinedAtEquals(['vbatch', '--pool', '=', 'gpu-1', 'python', '']);
    expect(split({ candidates: [], delegate: { command: 2 } }).delegate).toEqual({ command: 4 });
  });
});
