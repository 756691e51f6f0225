import { chained, length } from '../chain.ts';
import type { Measure } from '../measure.ts';
import { inFlight, interleave, timed } from '../rounds.ts';
import { startBareLoop } from './bareLoop.ts';
import { SshBed, sshPrograms } from './sshd.ts';

const rounds = 5;

/** Tasks on another machine that each wait for the one before. */
export const sshChain: Measure = {
  name: 'ssh-chain',
  needs: [...sshPrograms, 'setsid'],
  asRoot: true,
  how:
    'As **chain**, on a host that is an sshd on loopback. Beside it: the bare loop of **ssh-task** there, given ' +
    'one command after the other.',
  async run(bench) {
    const bed = await SshBed.open(bench);
    const host = await bed.serve('n1');
    const machine = await bed.machine([host]);
    const loop = await startBareLoop(bench, bed, host);
    const figures = await interleave(rounds, {
      peer: () => timed(() => inFlight(1, length, () => loop(['/bin/true']))),
      own: () => chained(machine, 'far'),
    });
    await machine.stop();
    return [
      {
        what: `a hop in a chain of ${length} over SSH`,
        unit: 'ms',
        value: figures.own / length,
        beside: { what: 'a bare loop', value: figures.peer / length },
        goal: { of: 'ratio', most: 2 },
      },
    ];
  },
};
