import type { Measure, Row } from '../measure.ts';
import { callTime, startFloor } from '../nestedCall.ts';
import { interleave } from '../rounds.ts';
import { SshBed, sshPrograms } from './sshd.ts';

const rounds = 3;
const calls = 200;

/** What a call of vbatch costs inside a task on another machine. */
export const sshNested: Measure = {
  name: 'ssh-nested',
  needs: [...sshPrograms, 'mkfifo'],
  asRoot: true,
  how:
    `As **nested**, on a host that is an sshd on loopback; the tasks that the ${calls} calls make run on three ` +
    'such hosts, or are held. Beside it: the same floor, on this machine.',
  async run(bench) {
    const bed = await SshBed.open(bench);
    const hosts = [await bed.serve('n1'), await bed.serve('n2'), await bed.serve('n3')];
    const machine = await bed.machine(hosts, { cpus: 1 });
    const floor = await startFloor(bench, machine);
    const figures = await interleave(rounds, {
      floor,
      held: () => callTime(machine, { command: ['vbatch', '--hold', 'true'], calls, pool: 'far' }),
      running: () => callTime(machine, { command: ['vbatch', '-P', 'far', 'true'], calls, pool: 'far' }),
    });
    await machine.stop();
    const beside = { what: 'a script and two FIFOs', value: figures.floor };
    const row = (what: string, value: number): Row => ({ what, unit: 'ms', value, beside, goal: null });
    return [
      row('a nested call over SSH', figures.held),
      row('a nested call over SSH while its tasks run on three hosts', figures.running),
    ];
  },
};
