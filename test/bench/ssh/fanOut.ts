import { type Machine, submit } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { interleave, timed } from '../rounds.ts';
import { parallelTime } from './parallel.ts';
import { SshBed, sshPrograms } from './sshd.ts';

const rounds = 2;
const count = 1_000;
const ofParallel = 500;

/** A thousand sub-tasks of one task, on three other machines. */
export const sshFanOut: Measure = {
  name: 'ssh-fan-out',
  needs: [...sshPrograms, 'seq', 'xargs', 'parallel'],
  asRoot: true,
  how:
    `As **fan-out**, with a task on this machine whose ${count} children run on three hosts, each an sshd on ` +
    `loopback, in a pool of one CPU each. Beside it: GNU parallel with \`--sshlogin\`, the same three hosts and ` +
    `ControlPersist, with as many jobs at once as there are CPUs on each, ${ofParallel} jobs.`,
  async run(bench) {
    const bed = await SshBed.open(bench);
    const hosts = [await bed.serve('n1'), await bed.serve('n2'), await bed.serve('n3')];
    const machine = await bed.machine(hosts, { cpus: 1 });
    const options = { hosts, config: bed.sharingConfig, count: ofParallel };
    const figures = await interleave(rounds, {
      peer: () => parallelTime(['/bin/true'], options, machine),
      own: async () => (await timed(() => fanned(machine))) / count,
    });
    await machine.stop();
    return [
      {
        what: `a task of a fan-out of ${count.toLocaleString('en')} over three hosts`,
        unit: 'ms',
        value: figures.own,
        beside: { what: 'GNU parallel, ControlPersist', value: figures.peer },
        goal: { of: 'ratio', most: 1 / 4 },
      },
    ];
  },
};

async function fanned(machine: Machine): Promise<void> {
  const script = `seq ${count} | xargs -I {} vbatch -P far --name {} /bin/true`;
  const id = await submit(machine, { command: ['sh', '-c', script] });
  const { status, children } = await machine.client.whenDone(id);
  if (status !== 'SUCCESS' || children.done !== count) throw new Error(`${id} ended ${status}`);
}
