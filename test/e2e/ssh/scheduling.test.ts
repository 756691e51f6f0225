/** Room on several hosts: GPUs that somebody else uses, slots, gangs that find each other. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { possible } from '../../support/testbed/testbed.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null)
  console.error(`SKIPPED: no hosts can be made here, so nothing runs over SSH: ${missing}`);

/** All of a gang meet at MASTER_ADDR:MASTER_PORT, as they would to train together. */
const meet = `#!/usr/bin/env python3
import os, socket, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    server = socket.create_server(("", place[1]))
    met = []
    while len(met) < size - 1:
        connection, _ = server.accept()
        met.append(connection.recv(10).decode())
        connection.close()
    print("met", *sorted(met))
else:
    for attempt in range(200):
        try:
            connection = socket.create_connection(place, 5)
            break
        except OSError:
            time.sleep(0.05)
    connection.sendall(str(rank).encode())
    print("node", os.environ["NODE_RANK"], "of", place[0])
`;

describe.skipIf(missing !== null)('scheduling over hosts', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up(
      [
        { name: 'n1', gpus: 3, config: '{ cpus: 4, gpu_order: [2, 0], gpus: 2 }' },
        { name: 'n2', gpus: 1, config: '{ cpus: 4, slots_per_gpu: 2 }' },
      ],
      'pools:\n  ordered: { hosts: [n1], gpus: 1 }\n  shared: { hosts: [n2], gpus: 1 }\n  wide: { hosts: [n1, n2], cpus: 2 }\n',
    );
  });
  afterAll(() => cluster?.down());

  const vctl = async (...args: string[]) => (await cluster.sandbox.run('vctl', args)).stdout.trim();
  const gpus = 'echo "$(hostname) $CUDA_VISIBLE_DEVICES"';

  /** Resolves with what `look` finds, once it finds anything. */
  async function found<T>(look: () => Promise<T | null>): Promise<T> {
    for (;;) {
      const value = await look();
      if (value !== null) return value;
      await delay(50);
    }
  }

  it('R24 grants GPUs in the order of the configuration, and each to as many tasks as it says', async () => {
    await cluster.write(
      'both.sh',
      `#!/bin/sh
for i in 1 2; do vbatch -P ordered --name o$i sh -c '${gpus}; until [ -e /var/tmp/go ]; do sleep 0.05; done'; done
for i in 1 2; do vbatch -P shared --name s$i sh -c '${gpus}; until [ -e /var/tmp/go ]; do sleep 0.05; done'; done
`,
    );
    const { stdout } = await cluster.sandbox.shell('vbatch ./both.sh');
    const id = stdout.trim();
    const out = async (name: string) => (await cluster.sandbox.log(`${id}/${name}`)).stdout.trim();
    await found(async () => {
      const running = await vctl('task', 'list', id, '-o', 'status', '--header=false');
      return running.match(/RUNNING/g)?.length === 4 ? running : null;
    });
    const use = await vctl('host', 'list', '-o', 'name,gpuUse', '--header=false');
    expect(use).toContain(`0 ${id}/s1 ${id}/s2`);
    expect(use).toContain(`0 ${id}/o2, 2 ${id}/o1`);
    await cluster.onAll('touch', '/var/tmp/go');
    await vctl('task', 'watch', id);
    expect(await Promise.all(['o1', 'o2', 's1', 's2'].map(out))).toEqual(['n1 2', 'n1 0', 'n2 0', 'n2 0']);
  });

  it('R19 R24 avoids a GPU that another user has taken, and says so until it is free', async () => {
    const host = cluster.bed.host('n1');
    host.addAccount('bob');
    const shell = "su bob -c 'sleep 1000 >/dev/null 2>&1 & echo $!'";
    const { stdout } = await host.exec(['sh', '-c', shell]);
    const pid = Number(stdout);
    host.useGpus([{ gpu: 2, pid, memory: 31 * 1024 }]);
    const other = 'is used by another user (bob), 31 GiB';
    await found(async () =>
      (await vctl('host', 'list', '-o', 'gpuUse')).includes('2 (bob 31G)') ? true : null,
    );
    const first = (
      await cluster.sandbox.shell(`vbatch -P ordered sh -c '${gpus}; sleep 1000'`)
    ).stdout.trim();
    const second = (await cluster.sandbox.shell(`vbatch -P ordered sh -c '${gpus}'`)).stdout.trim();
    await found(async () => ((await cluster.sandbox.log(first)).stdout === 'n1 0\n' ? true : null));
    expect((await cluster.sandbox.task(second)).reason).toBe(`waits: GPU 2 on n1 ${other}`);
    expect(await vctl('task', 'explain', second)).toContain(other);
    await host.exec(['kill', String(pid)]);
    host.useGpus([]);
    await vctl('task', 'watch', second);
    expect((await cluster.sandbox.log(second)).stdout).toBe('n1 2\n');
    await vctl('task', 'cancel', first);
  });

  it('R21 starts a gang on several hosts at once, and its shards find each other', async () => {
    await cluster.write('meet.py', meet);
    const run = await cluster.sandbox.submitted('vbatch -P wide -N 4 --gang ./meet.py');
    expect(run.status).toBe('SUCCESS');
    const logs = await Promise.all([0, 1, 2, 3].map((shard) => cluster.sandbox.log(`${run.id}/${shard}`)));
    const { address } = cluster.bed.host('n1');
    expect(logs.map(({ stdout }) => stdout.trim())).toEqual([
      'met 1 2 3',
      `node 1 of ${address}`,
      `node 0 of ${address}`,
      `node 1 of ${address}`,
    ]);
  });

  it('R21 R28 starts a gang again as a whole', async () => {
    await cluster.write(
      'again.sh',
      `#!/bin/sh
echo "attempt $VBATCH_ATTEMPT port $MASTER_PORT"
[ "$VBATCH_ATTEMPT" = 2 ] && exit
[ "$VBATCH_SHARD_ID" = 3 ] && exit 5
sleep 1000
`,
    );
    const run = await cluster.sandbox.submitted('vbatch -P wide -N 4 --gang --retries 1 ./again.sh');
    expect(run.status).toBe('SUCCESS');
    const shards = Object.values(await cluster.sandbox.below(run.id));
    expect(shards.map(({ attempt }) => attempt)).toEqual([2, 2, 2, 2]);
    const ports = await Promise.all(shards.map(({ id }) => cluster.sandbox.log(id)));
    expect(new Set(ports.map(({ stdout }) => stdout)).size).toBe(1);
  });
});
