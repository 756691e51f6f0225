import { Relay } from '../../support/testbed/relay.ts';
import { type Machine, submit } from '../bench.ts';
import type { Measure, Row } from '../measure.ts';
import { inFlight, interleave, timed } from '../rounds.ts';
import { startBareLoop } from './bareLoop.ts';
import { SshBed, sshPrograms } from './sshd.ts';

const rounds = 3;
/** One way, in milliseconds. */
const delay = 25;
const widths = [
  { width: 1, count: 20, goal: { of: 'value', most: 2 * delay + 10 } },
  { width: 64, count: 640, goal: { of: 'value', most: 3 } },
] as const;

/** What a task costs on a machine that is far away. */
export const sshFarTask: Measure = {
  name: 'ssh-far-task',
  needs: [...sshPrograms, 'setsid'],
  asRoot: true,
  how:
    'As **ssh-task**, with `/bin/true`, through a relay that holds back what passes between server and host for ' +
    `${delay} ms each way. Beside it: the bare loop of **ssh-task** through the same relay.`,
  async run(bench) {
    const bed = await SshBed.open(bench);
    const near = await bed.serve('n1');
    const relay = await Relay.start({ host: '127.0.0.1', port: near.port, delay });
    const host = bed.alias(near, 'n1-far', relay.port);
    const machine = await bed.machine([host]);
    const loop = await startBareLoop(bench, bed, host);
    const rows: Row[] = [];
    for (const { width, count, goal } of widths) {
      const each = async (one: () => Promise<unknown>) =>
        (await timed(() => inFlight(width, count, one))) / count;
      const figures = await interleave(rounds, {
        own: () => each(() => whole(machine)),
        loop: () => each(() => loop(['/bin/true'])),
      });
      rows.push({
        what: `a task over a link of ${2 * delay} ms, ${width} at a time`,
        unit: 'ms',
        value: figures.own,
        beside: { what: 'a bare loop', value: figures.loop },
        goal,
      });
    }
    await machine.stop();
    await relay.close();
    return rows;
  },
};

async function whole(machine: Machine): Promise<void> {
  await machine.client.whenDone(await submit(machine, { command: ['/bin/true'], pool: 'far' }));
}
