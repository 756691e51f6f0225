/** The examples of the workflow document, run as they are written there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

/** A stand-in for each script that the document names: it says what it was given. */
const python = (text: string) => `#!/usr/bin/env python3\nimport sys, os, json\n${text}\n`;
const says = (what: string) => python(`print('${what}', *sys.argv[1:])`);

describe('workflows', () => {
  let sandbox: Sandbox;

  beforeAll(() => {
    sandbox = new Sandbox();
    for (const name of [
      'process_data',
      'train_model',
      'evaluate_model',
      'process_file',
      'aggregate',
      'process',
      'prepare',
      'train',
      'evaluate',
      'validate_job',
    ]) {
      sandbox.write(`${name}.py`, says(name));
    }
    for (const name of ['run_inference', 'evaluate_inference']) sandbox.write(`${name}.py`, says(name));
    for (const step of [1, 2, 3]) sandbox.write(`step${step}.py`, says(`step${step}`));
    for (const file of ['a.csv', 'b.csv', 'c.csv']) sandbox.write(file, '1,2,3\n');
  });
  afterAll(() => sandbox.remove());

  const statuses = (tasks: Record<string, { status: string }>) =>
    Object.fromEntries(Object.entries(tasks).map(([id, task]) => [id, task.status]));

  it('runs the simple machine learning workflow, each step after the one before', async () => {
    sandbox.write(
      'training_pipeline.sh',
      `#!/bin/bash

# Process the data, e.g. data cleaning
vbatch -P cpu-16 --name process python process_data.py

# Train the model after processing is done
vbatch -P gpu-1 --name train --after-success process python train_model.py

# Model evaluation after training is complete
vbatch -P cpu-8 --name eval --after-success train python evaluate_model.py
`,
    );
    const run = await sandbox.submitted('vbatch ./training_pipeline.sh');
    expect(run).toMatchObject({
      name: 'training_pipeline',
      status: 'SUCCESS',
      children: { total: 3, done: 3, failed: 0 },
    });
    const below = await sandbox.below(run.id);
    expect(statuses(below)).toEqual({ process: 'SUCCESS', train: 'SUCCESS', eval: 'SUCCESS' });
    for (const [first, second] of [
      ['process', 'train'],
      ['train', 'eval'],
    ] as const) {
      expect(Date.parse(below[second]?.startedAt ?? '')).toBeGreaterThanOrEqual(
        Date.parse(below[first]?.finishedAt ?? ''),
      );
    }
    expect((await sandbox.log(`${run.id}/train`)).stdout).toBe('train_model\n');
  });

  it('takes several dependencies on one task', async () => {
    sandbox.write(
      'join.sh',
      `#!/bin/bash
vbatch --name task1 true
vbatch --name task2 true
vbatch --name aggregate --after-success task1 --after-success task2 python aggregate.py
`,
    );
    const run = await sandbox.submitted('vbatch ./join.sh');
    const aggregate = (await sandbox.below(run.id)).aggregate;
    expect(aggregate?.status).toBe('SUCCESS');
    expect(aggregate?.dependencies.map(({ name, state }) => [name, state])).toEqual([
      ['task1', 'met'],
      ['task2', 'met'],
    ]);
  });

  it('fans out over files with xargs', async () => {
    const run = await sandbox.submitted(
      `vbatch bash -c "ls *.csv | xargs -I {} vbatch --name {} -P cpu-8 python process_file.py {}"`,
    );
    expect(statuses(await sandbox.below(run.id))).toEqual({
      'a.csv': 'SUCCESS',
      'b.csv': 'SUCCESS',
      'c.csv': 'SUCCESS',
    });
    expect((await sandbox.log(`${run.id}/b.csv`)).stdout).toBe('process_file b.csv\n');
  });

  it('fans out in chunks', async () => {
    const run = await sandbox.submitted(
      `vbatch bash -c "ls *.csv | xargs -L 100 vbatch -P cpu-8 python process_file.py"`,
    );
    expect(Object.keys(await sandbox.below(run.id))).toEqual(['process_file']);
    expect((await sandbox.log(`${run.id}/process_file`)).stdout).toBe('process_file a.csv b.csv c.csv\n');
  });

  it('embeds a fan-out in a pipeline, and ends the typo FAILED_UPSTREAM with a hint', async () => {
    sandbox.write(
      'process_all.sh',
      '#!/bin/bash\n\nls *.csv | xargs -I {} vrun -P cpu-8 python process_file.py {}\n',
    );
    sandbox.write(
      'main_pipeline.sh',
      `#!/bin/bash

# Process all data files in parallel
vbatch -P cpu-16 --name preprocess ./process_all.sh

# Train the model after all files are processed
vbatch -P gpu-1 --name train --after-success preprocess python train_model.py

# Validate results
vbatch -P cpu-8 --name validate --after-success compute python validate_job.py
`,
    );
    const run = await sandbox.submitted('vbatch ./main_pipeline.sh');
    expect(run.status).toBe('FAILURE');
    const below = await sandbox.below(run.id);
    expect(statuses(below)).toEqual({
      preprocess: 'SUCCESS',
      'preprocess/process_file': 'SUCCESS',
      'preprocess/process_file_2': 'SUCCESS',
      'preprocess/process_file_3': 'SUCCESS',
      train: 'SUCCESS',
      validate: 'FAILED_UPSTREAM',
    });
    expect(below.validate?.reason).toBe('no task "compute" in this run; did you mean "preprocess"?');
    // vrun streams what its tasks print to the script's own output.
    expect((await sandbox.log(`${run.id}/preprocess`)).stdout).toBe(
      'process_file a.csv\nprocess_file b.csv\nprocess_file c.csv\n',
    );
  });

  it('fans out recursively', async () => {
    sandbox.write(
      'inference_and_eval.sh',
      `#!/bin/bash
DATA_FILE=$1

# Run inference
vrun -P gpu-1 --name inference ./run_inference.py $DATA_FILE

# Evaluate the inference result
vrun -P cpu-4 --after-success inference ./evaluate_inference.py $DATA_FILE
`,
    );
    const run = await sandbox.submitted(
      `vbatch bash -c "ls *.csv | xargs -I {} vbatch --name {} ./inference_and_eval.sh {}"`,
    );
    expect(run.status).toBe('SUCCESS');
    expect(Object.keys(await sandbox.below(run.id)).sort()).toEqual(
      ['a.csv', 'b.csv', 'c.csv'].flatMap((file) => [
        file,
        `${file}/evaluate_inference`,
        `${file}/inference`,
      ]),
    );
    expect((await sandbox.log(`${run.id}/a.csv/evaluate_inference`)).stdout).toBe(
      'evaluate_inference a.csv\n',
    );
  });

  it('follows the best practices, as lines typed in a terminal', async () => {
    const lines = [
      ['vbatch --name preprocess-dataset python process.py', 'preprocess-dataset'],
      ['vbatch python process.py', 'process'],
      ['vbatch --name data-prep -P cpu-16 python prepare.py', 'data-prep'],
      ['vbatch --name training -P gpu-a100 python train.py', 'training'],
      ['vbatch --name evaluation -P cpu-4 python evaluate.py', 'evaluation'],
    ] as const;
    for (const [line, name] of lines)
      expect(await sandbox.submitted(line)).toMatchObject({ name, status: 'SUCCESS' });
    const { code, stdout } = await sandbox.shell('ls *.csv | xargs -L 100 vbatch -P cpu-8 python process.py');
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 1]);
    sandbox.write(
      'workflow.sh',
      `#!/bin/bash
vbatch --name step1 python step1.py
vbatch --name step2 --after-success step1 python step2.py
vbatch --name step3 --after-success step2 python step3.py
`,
    );
    const run = await sandbox.submitted('vbatch ./workflow.sh');
    expect(statuses(await sandbox.below(run.id))).toEqual({
      step1: 'SUCCESS',
      step2: 'SUCCESS',
      step3: 'SUCCESS',
    });
  });
});
