import { type Machine, submit } from './bench.ts';
import type { Measure, Row } from './measure.ts';
import { run, type Surroundings } from './programs.ts';
import { inFlight, interleave, timed } from './rounds.ts';

const rounds = 5;
/** How many tasks are under way at once, how many a round has, and the goal. */
const widths = [
  { width: 1, count: 80, goal: null },
  { width: 8, count: 320, goal: { of: 'ratio', most: 4 } },
] as const;

/** What a task costs that does nothing. */
export const taskOverhead: Measure = {
  name: 'task',
  needs: [],
  how:
    '`true` is submitted over HTTP into the pool `shell`, and a second request waits until its end is on ' +
    'disk and answers. Beside it: `sh -c true` spawned by Node, until it has exited.',
  async run(bench) {
    const memory = await bench.machine(bench.memory);
    const disk = await bench.machine(bench.disk);
    const rows: Row[] = [];
    for (const { width, count, goal } of widths) {
      const each = async (one: () => Promise<unknown>) =>
        (await timed(() => inFlight(width, count, one))) / count;
      const figures = await interleave(rounds, {
        floor: () => each(() => bare(memory)),
        memory: () => each(() => whole(memory)),
        disk: () => each(() => whole(disk)),
      });
      for (const place of ['memory', 'disk'] as const) {
        rows.push({
          what: `a task, ${width} at a time, ${bench[place].name}`,
          unit: 'ms',
          value: figures[place],
          beside: { what: '`sh -c true`', value: figures.floor },
          goal,
        });
      }
    }
    await memory.stop();
    await disk.stop();
    return rows;
  },
};

async function whole(machine: Machine): Promise<void> {
  await machine.client.whenDone(await submit(machine, {}));
}

function bare(surroundings: Surroundings): Promise<void> {
  return run('sh', ['-c', 'true'], surroundings);
}
