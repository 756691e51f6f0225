/** The workflow document's pipelines over three hosts that share nothing, one of them with GPUs. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { possible } from '../../support/testbed/testbed.ts';
import type { SeenTask } from '../sandbox.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null)
  console.error(`SKIPPED: no hosts can be made here, so nothing runs over SSH: ${missing}`);

/** Prints where it runs, and notes when. */
const where = `#!/bin/sh
echo "$(hostname) gpu=\${CUDA_VISIBLE_DEVICES-none} cpus=$VBATCH_CPUS host=$VBATCH_HOST"
`;

describe.skipIf(missing !== null)('a pipeline over three hosts', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up(
      [
        { name: 'n1', gpus: 2, config: '{ cpus: 8 }' },
        { name: 'n2', config: '{ cpus: 16 }' },
        { name: 'n3', config: '{ cpus: 8 }' },
      ],
      'pools:\n  train: { hosts: [n1], gpus: 1, cpus: 1 }\n  second: { hosts: [n2] }\n' +
        // This machine has CPUs as well, and its turn comes when the others are busy.
        '  far: { hosts: [n1, n2, n3], cpus: 1 }\n',
    );
    await cluster.write('where.sh', where);
  });
  afterAll(() => cluster?.down());

  const said = async (task: SeenTask | undefined) =>
    (await cluster.sandbox.log(task?.id ?? '')).stdout.trim();

  it('R6 R16 R24 runs each step on the right host, in the right order, with the right GPU', async () => {
    await cluster.write(
      'training_pipeline.sh',
      `#!/bin/sh
vbatch -P cpu-16 --name process ./where.sh
vbatch -P gpu-1  --name train --after-success process ./where.sh
vbatch -P cpu-8  --name eval  --after-success train   ./where.sh
`,
    );
    const run = await cluster.sandbox.submitted('vbatch ./training_pipeline.sh');
    expect(run.status).toBe('SUCCESS');
    const { process, train, eval: evaluate } = await cluster.sandbox.below(run.id);
    expect(await said(process)).toBe('n2 gpu=none cpus=16 host=n2');
    expect(await said(train)).toMatch(/^n1 gpu=[01] cpus=8 host=n1$/);
    expect(await said(evaluate)).toMatch(/^n[123] gpu=(none|) cpus=8 host=n[123]$/);
    expect(Date.parse(train?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(process?.finishedAt ?? ''));
    expect(Date.parse(evaluate?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(train?.finishedAt ?? ''));
  });

  it('R5 a script on a host fans out to others, to any depth, and vrun there passes output on', async () => {
    await cluster.write(
      'leaf.sh',
      `#!/bin/sh
echo "leaf $1 on $(hostname)"
`,
    );
    await cluster.write(
      'branch.sh',
      `#!/bin/sh
seq 1 5 | xargs -P 5 -I {} vbatch -P far --name leaf{} ./leaf.sh {}
vrun -P train --name nested sh -c 'echo "out $(hostname)"; echo "err" >&2; exit 3'
echo "code $?"
`,
    );
    await cluster.write(
      'root.sh',
      `#!/bin/sh
seq 1 3 | xargs -I {} vbatch -P far --name branch{} ./branch.sh
`,
    );
    const run = await cluster.sandbox.submitted('vbatch -P cpu-16 ./root.sh');
    const below = await cluster.sandbox.below(run.id);
    expect(Object.keys(below)).toHaveLength(3 + 3 * 6);
    for (const i of [1, 2, 3]) {
      const log = await cluster.sandbox.log(below[`branch${i}`]?.id ?? '');
      expect(log.stdout.split('\n').slice(-3)).toEqual(['out n1', 'code 3', '']);
      expect(log.stderr).toContain('err\n');
      for (const k of [1, 2, 3, 4, 5]) {
        expect(await said(below[`branch${i}/leaf${k}`])).toMatch(new RegExp(`^leaf ${k} on n[123]$`));
      }
    }
    // What a nested vrun ends with fails its parent (R14).
    expect(run.status).toBe('FAILURE');
  });

  it('R24 never grants a GPU twice', async () => {
    await cluster.write(
      'gpu.sh',
      `#!/bin/sh
echo "start $CUDA_VISIBLE_DEVICES" >>gpus
sleep 0.05
echo "end $CUDA_VISIBLE_DEVICES" >>gpus
`,
    );
    await cluster.write('many.sh', '#!/bin/sh\nseq 20 | xargs -I {} vbatch -P train --name g{} ./gpu.sh\n');
    const run = await cluster.sandbox.submitted('vbatch ./many.sh');
    expect(run.status).toBe('SUCCESS');
    const held = new Set<string>();
    const lines = cluster.readOn('n1', 'gpus').trim().split('\n');
    expect(lines).toHaveLength(40);
    for (const line of lines) {
      const [what, gpu = ''] = line.split(' ');
      expect(gpu).toMatch(/^[01]$/);
      if (what === 'end') expect(held.delete(gpu)).toBe(true);
      else {
        expect(held.has(gpu)).toBe(false);
        held.add(gpu);
      }
    }
  });

  it('R34 what describes one machine does not cross to another, and all else does', async () => {
    const show = 'echo "$MINE ${VIRTUAL_ENV-none} $HOME $(case $PATH in *only*) echo path;; esac)"';
    await cluster.write(
      'change.sh',
      `#!/bin/sh
${show}
export VIRTUAL_ENV=/there PATH=$PATH:/only/there MINE=yours
vrun -P second sh -c '${show}'
vrun -P train sh -c '${show}'
`,
    );
    const { stdout } = await cluster.sandbox.shell(
      'export MINE=mine VIRTUAL_ENV=/here PATH=$PATH:/only/here; vrun -P second ./change.sh',
    );
    expect(stdout.split('\n')).toEqual([
      'mine none /root ',
      'yours /there /root path',
      'yours none /root ',
      '',
    ]);
  });

  it('leaves nothing behind on the hosts', async () => {
    const count = 'find /root/.vbatch/*/tasks /root/.vbatch/*/calls -type f | wc -l';
    for (const name of ['n1', 'n2', 'n3']) {
      // What has been fetched is discarded a moment later.
      const left = async () => Number((await cluster.bed.host(name).exec(['sh', '-c', count])).stdout);
      while ((await left()) > 0) await delay(20);
    }
  });
});
