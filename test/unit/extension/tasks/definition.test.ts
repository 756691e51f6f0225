import { expect, it } from 'vitest';
import { wordsOf } from '../../../../extension/tasks/definition.ts';
import { parseCommandLine } from '../../../../server/protocol/commandLine.ts';

const context = { lookup: () => undefined, version: '1' };

it('a task of tasks.json says what its vbatch command line would', () => {
  const words = wordsOf({
    type: 'vbatch',
    command: ['python', 'train.py', '-P', 'x'],
    pool: 'gpu-1',
    name: 'train',
    time: '90m',
    retries: 2,
    labels: { kind: 'model' },
    env: { SEED: '1 2' },
    flags: ['--gpus', '2'],
  });
  expect(parseCommandLine('vbatch', words, context)).toMatchObject({
    kind: 'submit',
    submission: {
      command: ['python', 'train.py', '-P', 'x'],
      pool: 'gpu-1',
      name: 'train',
      timeLimit: 5_400,
      retries: 2,
      labels: { kind: 'model' },
      variables: { SEED: '1 2' },
      gpus: 2,
    },
  });
});

it('a string is for the shell', () => {
  const words = wordsOf({ type: 'vbatch', command: 'ls *.csv | wc -l', shards: '8%2' });
  expect(parseCommandLine('vbatch', words, context)).toMatchObject({
    submission: { command: ['sh', '-c', 'ls *.csv | wc -l'], shards: { total: 8, limit: 2 } },
  });
});
