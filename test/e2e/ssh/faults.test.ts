/** R30–R33: what happens to connections, hosts, agents and the server while 300 tasks run is no outcome of theirs. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { possible } from '../../support/testbed/testbed.ts';
import { Cluster } from './cluster.ts';

const missing = possible();
if (missing !== null) console.error(`SKIPPED: no hosts can be made here, so no fault is tested: ${missing}`);

const names = ['n1', 'n2', 'n3'];
const fanOut = 100;
/** Lines that each task prints, with pauses between. */
const lines = 12;

describe.skipIf(missing !== null)('three hosts', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.up(
      names.map((name) => ({ name, config: '{ cpus: 8 }', disk: '128m' })),
      `pools:\n  remote: { hosts: [${names.join(', ')}], cpus: 1 }\n`,
    );
    await cluster.write(
      'mark.sh',
      `#!/bin/sh
echo "$VBATCH_TASK_ID.$VBATCH_ATTEMPT" >>ran
i=0
while [ $i -lt ${lines} ]; do
  i=$((i + 1))
  echo "out $i"
  echo "err $i" >&2
  sleep 0.05
done
exit \${1:-0}
`,
    );
    // Each item makes three tasks: one that works or not, one that runs after success, one after failure.
    await cluster.write(
      'many.sh',
      `#!/bin/bash
for i in $(seq ${fanOut}); do
  vbatch -P remote --name work$i ./mark.sh $((i % 4 == 0)) || exit 9
  vbatch -P remote --name good$i --after-success work$i ./mark.sh || exit 9
  vbatch -P remote --name bad$i --after-fail work$i ./mark.sh || exit 9
done
`,
    );
  });
  afterAll(() => cluster?.down());

  /** Runs the 300 tasks on the hosts while `disturb` goes on, and checks what came of all of them. */
  async function survives(disturb: (over: Promise<true>) => Promise<void>, mayLose: boolean): Promise<void> {
    await cluster.onAll('rm', '-f', `${cluster.sandbox.work}/ran`);
    const { stdout, stderr } = await cluster.sandbox.shell('vbatch -P remote ./many.sh');
    const id = stdout.trim();
    expect(id, stderr).not.toBe('');
    const watching = cluster.sandbox.spawn('vctl', ['watch', id]);
    const over = once(watching, 'close').then((): true => true);
    await disturb(over);
    await over;

    const below = await cluster.sandbox.below(id);
    const { status, reason } = await cluster.sandbox.task(id);
    expect([status, reason, (await cluster.sandbox.log(id)).stderr]).toEqual([
      'FAILURE',
      expect.any(String),
      '',
    ]);
    expect(Object.keys(below)).toHaveLength(3 * fanOut);
    const odd = Object.values(below).filter(({ exitCode }) => exitCode !== null && exitCode > 1);
    expect(odd).toEqual([]);
    for (let i = 1; i <= fanOut; i++) {
      const fails = i % 4 === 0;
      expect([below[`work${i}`]?.status, below[`good${i}`]?.status, below[`bad${i}`]?.status]).toEqual(
        fails ? ['FAILURE', 'FAILED_UPSTREAM', 'SUCCESS'] : ['SUCCESS', 'SUCCESS', 'SKIPPED'],
      );
    }
    // Every attempt ran once; without a lost host there is one of each.
    const ran = cluster.read('ran').trim().split('\n');
    expect(new Set(ran).size).toBe(ran.length);
    if (!mayLose) {
      expect(ran).toHaveLength(2 * fanOut);
      expect(Object.values(below).every((task) => task.attempt <= 1)).toBe(true);
    }
    const expected = (word: string) => Array.from({ length: lines }, (_, i) => `${word} ${i + 1}\n`).join('');
    for (const task of Object.values(below)) {
      if (task.attempt === 0) continue;
      const log = await cluster.sandbox.log(task.id);
      expect([task.id, log.stdout, log.stderr]).toEqual([task.id, expected('out'), expected('err')]);
    }
  }

  /** Processes on the hosts that are none of the system's, sshd's or ours. */
  const commandsLeft = () =>
    names.flatMap((name) =>
      cluster.bed
        .host(name)
        .processes()
        .filter(({ command }) => command.includes('mark.sh')),
    );

  /** Takes a host's link away for a while. */
  async function interrupt(name: string, milliseconds: number): Promise<void> {
    await cluster.bed.host(name).link('down');
    await delay(milliseconds);
    await cluster.bed.host(name).link('up');
  }

  it('R30 a link that is down for 5 s and comes back', { timeout: 120_000 }, async () => {
    await survives(async (over) => {
      for (const name of ['n1', 'n2']) {
        if (await Promise.race([over, delay(500).then(() => false)])) return;
        await interrupt(name, 5_000);
      }
    }, false);
  });

  it('R30 a link that is down for 60 s: tasks there go on, and say since when nobody hears of them', {
    timeout: 180_000,
  }, async () => {
    let said: string[] = [];
    await survives(async () => {
      await delay(1_000);
      const back = interrupt('n3', 60_000);
      // By then the connection is given up.
      await delay(45_000);
      const { stdout } = await cluster.sandbox.run('vctl', ['search', 'work*', '-o', 'json']);
      said = (JSON.parse(stdout) as { host: string | null; status: string; reason: string | null }[])
        .filter(({ host, status }) => host === 'n3' && status === 'RUNNING')
        .map(({ reason }) => reason ?? '');
      await back;
    }, false);
    expect(said).not.toEqual([]);
    for (const reason of said)
      expect(reason).toMatch(/^host n3 is not reachable \(since .*its command goes on there$/);
  });

  it('R30 R31 R33 sessions, agents and the server killed at random', { timeout: 180_000 }, async () => {
    let random = 4711;
    const next = (below: number) => {
      random = (random * 1103515245 + 12345) % 2 ** 31;
      return Math.floor((random / 2 ** 31) * below);
    };
    let faults = 0;
    await survives(async (over) => {
      for (; faults < 40; faults++) {
        if (await Promise.race([over, delay(next(400)).then(() => false)])) return;
        const name = names[next(3)] ?? 'n1';
        switch (next(4)) {
          case 0:
            cluster.bed.host(name).killSessions();
            break;
          case 1:
            await cluster.killAgent(name);
            break;
          case 2:
            await cluster.bed.host(name).cutConnections();
            break;
          default:
            cluster.sandbox.killServer();
            expect((await cluster.sandbox.run('vctl', ['server', 'start'])).stderr).toBe('');
        }
      }
    }, false);
    expect(faults).toBeGreaterThan(8);
  });

  it('R32 a host that crashes and boots again', { timeout: 180_000 }, async () => {
    await survives(async () => {
      await delay(1_000);
      await cluster.bed.host('n3').crash();
      await cluster.bed.host('n3').boot();
      await cluster.onAll('mkdir', '-p', cluster.sandbox.work);
    }, true);
  });

  it('R26 leaves nothing running after a cancel that came while the host was out of reach', {
    timeout: 120_000,
  }, async () => {
    await cluster.write('long.sh', '#!/bin/sh\ntrap "" TERM HUP\nwhile :; do ./mark.sh; done\n');
    const { stdout } = await cluster.sandbox.shell(
      'vbatch -P remote --name long ./long.sh; vbatch -P remote --name long2 ./long.sh',
    );
    const ids = stdout.trim().split('\n');
    while (
      (await Promise.all(ids.map((id) => cluster.sandbox.task(id)))).some((task) => task.startedAt === null)
    ) {
      await delay(50);
    }
    for (const name of names) await cluster.bed.host(name).cutConnections();
    for (const name of names) await cluster.bed.host(name).link('down');
    for (const id of ids) await cluster.sandbox.run('vctl', ['cancel', id]);
    for (const name of names) await cluster.bed.host(name).link('up');
    for (const id of ids) await cluster.sandbox.run('vctl', ['watch', id]);
    for (const id of ids) expect((await cluster.sandbox.task(id)).status).toBe('CANCELLED');
    expect(commandsLeft()).toEqual([]);
  });
});
