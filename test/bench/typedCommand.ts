import type { Machine } from './bench.ts';
import type { Measure } from './measure.ts';
import { output, run } from './programs.ts';
import { interleave, timed } from './rounds.ts';

const rounds = 40;

/** What a person waits for at a prompt. */
export const typedCommand: Measure = {
  name: 'typed',
  needs: ['node'],
  how:
    '`vbatch true`, found on PATH and started as a shell does, until it has exited; the server runs already, ' +
    'and the task before is done. Beside it: `node -e 0`. NODE_EXTRA_CA_CERTS is unset for both.',
  async run(bench) {
    const machine = await bench.machine(bench.memory);
    const figures = await interleave(rounds, {
      floor: () => timed(() => run('node', ['-e', '0'], machine)),
      typed: () => typed(machine),
    });
    await machine.stop();
    return [
      {
        what: `\`vbatch true\` at a prompt, ${bench.memory.name}`,
        unit: 'ms',
        value: figures.typed,
        beside: { what: '`node -e 0`', value: figures.floor },
        goal: { of: 'ratio', most: 2 },
      },
    ];
  },
};

async function typed(machine: Machine): Promise<number> {
  let id = '';
  const taken = await timed(async () => {
    id = await output('vbatch', ['true'], machine);
  });
  await machine.client.whenDone(id);
  return taken;
}
