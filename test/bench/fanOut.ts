import { type Machine, submit } from './bench.ts';
import type { Measure, Row } from './measure.ts';
import { run } from './programs.ts';
import { interleave, timed } from './rounds.ts';

const rounds = 3;
const count = 1_000;

/** A thousand sub-tasks of one task. */
export const fanOut: Measure = {
  name: 'fan-out',
  needs: ['seq', 'xargs', 'parallel'],
  how:
    `A task \`seq ${count} | xargs -I {} vbatch --name {} true\`, from its submission until it and all its ` +
    `children are done, by the number of children. Beside it: \`seq ${count} | parallel true\`, GNU parallel with ` +
    'as many jobs at once as there are CPUs.',
  async run(bench) {
    const memory = await bench.machine(bench.memory);
    const disk = await bench.machine(bench.disk);
    const figures = await interleave(rounds, {
      peer: () => timed(() => run('sh', ['-c', `seq ${count} | parallel true`], memory)),
      memory: () => timed(() => fanned(memory)),
      disk: () => timed(() => fanned(disk)),
    });
    await memory.stop();
    await disk.stop();
    return (['memory', 'disk'] as const).map(
      (place): Row => ({
        what: `a task of a fan-out of ${count.toLocaleString('en')}, ${bench[place].name}`,
        unit: 'ms',
        value: figures[place] / count,
        beside: { what: 'GNU parallel', value: figures.peer / count },
        goal: { of: 'ratio', most: 2.5 },
      }),
    );
  },
};

async function fanned(machine: Machine): Promise<void> {
  const id = await submit(machine, {
    command: ['sh', '-c', `seq ${count} | xargs -I {} vbatch --name {} true`],
  });
  const { status, children } = await machine.client.whenDone(id);
  if (status !== 'SUCCESS' || children.done !== count) throw new Error(`${id} ended ${status}`);
}
