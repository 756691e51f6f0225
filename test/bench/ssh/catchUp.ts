import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../../server/model/task.ts';
import { Relay } from '../../support/testbed/relay.ts';
import { type Machine, submit } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { run } from '../programs.ts';
import { interleave, timed } from '../rounds.ts';
import { patience, SshBed, sshPrograms, untilOnline } from './sshd.ts';

const rounds = 3;
const running = 100;
/** How many of them end while nobody hears of it. */
const ending = 50;

/** Coming back to a host after the connection to it was lost. */
export const sshCatchUp: Measure = {
  name: 'ssh-catch-up',
  needs: [...sshPrograms, 'mkfifo'],
  asRoot: true,
  how:
    `${running} tasks run on an sshd on loopback. The connection is reset, and ${ending} of them end at that ` +
    'moment: the time until the host is online again, those are known to have ended, and another task has run ' +
    'there. Beside it: `ssh HOST true`.',
  async run(bench) {
    const bed = await SshBed.open(bench);
    const host = await bed.serve('n1');
    const relay = await Relay.start({ host: '127.0.0.1', port: host.port, delay: 0 });
    const near = bed.alias(host, 'n1-near', relay.port);
    const machine = await bed.machine([near]);
    await run('mkfifo', ['gate'], machine);
    // Opened both ways, because opening a FIFO one way waits for the other side.
    const gate = openSync(join(machine.cwd, 'gate'), 'r+');
    const release = (count: number) => writeSync(gate, '\n'.repeat(count));
    const caughtUp = async () => {
      const waiting = { command: ['sh', '-c', 'read line <gate'], pool: 'far' };
      const ids = await Promise.all(Array.from({ length: running }, () => submit(machine, waiting)));
      await until(machine, 'RUNNING', running);
      const since = Date.now();
      const taken = await timed(async () => {
        relay.cut();
        release(ending);
        await untilOnline(machine, [near.name], since);
        await until(machine, 'RUNNING', running - ending);
        await machine.client.whenDone(await submit(machine, { command: ['/bin/true'], pool: 'far' }));
      });
      release(running - ending);
      const ends = await Promise.all(ids.map((id) => machine.client.whenDone(id)));
      if (ends.some(({ status }) => status !== 'SUCCESS')) throw new Error('a task did not end well');
      return taken;
    };
    const figures = await interleave(rounds, {
      peer: () => timed(() => run('ssh', ['-F', bed.config, host.name, 'true'], machine)),
      own: caughtUp,
    });
    closeSync(gate);
    await machine.stop();
    await relay.close();
    return [
      {
        what: `caught up with ${running} running tasks after a lost connection`,
        unit: 'ms',
        value: figures.own,
        beside: { what: '`ssh HOST true`', value: figures.peer },
        goal: { of: 'value', most: 2_000 },
      },
    ];
  },
};

async function until({ client }: Machine, status: Status, count: number): Promise<void> {
  const limit = performance.now() + patience;
  for (;;) {
    const { tasks } = await client.list({ status: [status], limit: 2 * running });
    if (tasks.length === count) return;
    if (performance.now() > limit) throw new Error(`${tasks.length} tasks are ${status}, not ${count}`);
    await sleep(10);
  }
}
