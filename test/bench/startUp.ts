import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, memoryOf } from './bench.ts';
import { addSnapshot, writeJournal } from './history.ts';
import type { Measure, Row } from './measure.ts';
import { interleave, median } from './rounds.ts';
import { checkHistory } from './storedTasks.ts';

const rounds = 5;
const count = 100_000;

/** A server that begins with much behind it. */
export const startUp: Measure = {
  name: 'start-up',
  needs: [],
  how:
    `From the start of the server's process until it has said that it is ready, with ${count.toLocaleString('en')} ` +
    'finished tasks in a snapshot, or in a journal alone that was never compacted. Memory is the most that the ' +
    'process has had by then. Beside it: an empty state folder.',
  async run(bench) {
    const folders = { empty: '', snapshot: '', journal: '' };
    for (const name of ['empty', 'snapshot', 'journal'] as const) folders[name] = bench.folder(bench.memory);
    await writeJournal(join(folders.journal, 'state'), count);
    cpSync(join(folders.journal, 'state'), join(folders.snapshot, 'state'), { recursive: true });
    await addSnapshot(join(folders.snapshot, 'state'));

    const memory = { empty: [] as number[], snapshot: [] as number[], journal: [] as number[] };
    const start = async (name: keyof typeof folders) => {
      const { taken, most } = await startOnce(bench, folders[name], name === 'empty' ? 0 : count);
      memory[name].push(most);
      return taken;
    };
    const seconds = await interleave(rounds, {
      empty: () => start('empty'),
      snapshot: () => start('snapshot'),
      journal: () => start('journal'),
    });
    return (['snapshot', 'journal'] as const).flatMap((name): Row[] => {
      const what = `with ${count.toLocaleString('en')} done in a ${name}`;
      return [
        {
          what: `start-up ${what}, ${bench.memory.name}`,
          unit: 's',
          value: seconds[name],
          beside: { what: 'with nothing', value: seconds.empty },
          goal: { of: 'value', most: 3 },
        },
        {
          what: `most memory at start-up ${what}`,
          unit: 'MB',
          value: median(memory[name]),
          beside: { what: 'with nothing', value: median(memory.empty) },
          goal: { of: 'value', most: 400 },
        },
      ];
    });
  },
};

/** Starts a server and kills it, so that the folder stays as it is. Gives seconds and megabytes. */
async function startOnce(
  bench: Bench,
  folder: string,
  expected: number,
): Promise<{ taken: number; most: number }> {
  const start = performance.now();
  const machine = await bench.machine(bench.memory, folder);
  const taken = (performance.now() - start) / 1_000;
  const most = memoryOf(machine.pid, 'VmHWM');
  if (expected > 0) await checkHistory(machine, expected);
  await machine.kill();
  return { taken, most };
}
