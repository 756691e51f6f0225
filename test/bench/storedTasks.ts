import { join } from 'node:path';
import { type Bench, type Machine, memoryOf, submit } from './bench.ts';
import { addSnapshot, writeJournal } from './history.ts';
import type { Measure, Row } from './measure.ts';
import { quantile, timed } from './rounds.ts';

const few = 100;
const many = 100_000;
const samples = 600;

/** Whether what is long done makes the server slower. */
export const storedTasks: Measure = {
  name: 'stored',
  needs: [],
  how:
    `Two servers, one with ${few} and one with ${many.toLocaleString('en')} finished tasks loaded from a snapshot, get \`true\` in turn, ` +
    `${samples} times each: from the request until the answer that it is on disk. The task is done before the next ` +
    'comes. Memory is the resident set of the server afterwards. Beside it: the server with the few.',
  async run(bench) {
    const small = await withHistory(bench, few);
    const large = await withHistory(bench, many);
    const taken = { small: [] as number[], large: [] as number[] };
    const warmUp = samples / 4;
    for (let sample = -warmUp; sample < samples; sample++) {
      const a = await submitTime(small);
      const b = await submitTime(large);
      if (sample < 0) continue;
      taken.small.push(a);
      taken.large.push(b);
    }
    const memory = { small: memoryOf(small.pid, 'VmRSS'), large: memoryOf(large.pid, 'VmRSS') };
    await small.stop();
    await large.stop();
    const place = bench.memory.name;
    const latency = (name: string, share: number, goal: Row['goal']): Row => ({
      what: `submit latency with ${many.toLocaleString('en')} done, ${name}, ${place}`,
      unit: 'ms',
      value: quantile(taken.large, share),
      beside: { what: `with ${few} done`, value: quantile(taken.small, share) },
      goal,
    });
    return [
      latency('median', 0.5, { of: 'ratio', most: 1.2 }),
      latency('99th percentile', 0.99, null),
      {
        what: `memory with ${many.toLocaleString('en')} done`,
        unit: 'MB',
        value: memory.large,
        beside: { what: `with ${few} done`, value: memory.small },
        goal: null,
      },
    ];
  },
};

async function withHistory(bench: Bench, count: number): Promise<Machine> {
  const folder = bench.folder(bench.memory);
  await writeJournal(join(folder, 'state'), count);
  await addSnapshot(join(folder, 'state'));
  const machine = await bench.machine(bench.memory, folder);
  await checkHistory(machine, count);
  return machine;
}

/** Throws unless the server has this many tasks, all of them done. */
export async function checkHistory({ client }: Machine, count: number): Promise<void> {
  const { tasks } = await client.server();
  const successes = await client.list({ status: ['SUCCESS'], top: true, limit: 1 });
  if (tasks !== count || successes.tasks.length === 0) throw new Error(`the server has ${tasks} tasks`);
}

async function submitTime(machine: Machine): Promise<number> {
  let id = '';
  const taken = await timed(async () => {
    id = await submit(machine, {});
  });
  await machine.client.whenDone(id);
  return taken;
}
