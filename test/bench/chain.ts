import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Bench, type Machine, submit } from './bench.ts';
import type { Measure, Row } from './measure.ts';
import { output, run, type Surroundings } from './programs.ts';
import { interleave, timed } from './rounds.ts';

const rounds = 5;
export const length = 50;

/** Tasks that each wait for the one before. */
export const chain: Measure = {
  name: 'chain',
  needs: ['tsp', 'mkfifo'],
  how:
    `${length} tasks \`true\`, each \`--after-success\` of the one before, are submitted with the first one held; ` +
    'from its release until the last one is done, by their number. Beside it: task-spooler with as many jobs, ' +
    'each `-d` of the one before, behind a job that waits on a FIFO; from a word on that until the last is done.',
  async run(bench) {
    const memory = await bench.machine(bench.memory);
    const disk = await bench.machine(bench.disk);
    const peer = await spooler(bench, memory);
    const figures = await interleave(rounds, {
      peer: () => spooled(peer),
      memory: () => chained(memory),
      disk: () => chained(disk),
    });
    await memory.stop();
    await disk.stop();
    return (['memory', 'disk'] as const).map(
      (place): Row => ({
        what: `a hop in a chain of ${length}, ${bench[place].name}`,
        unit: 'ms',
        value: figures[place] / length,
        beside: { what: 'task-spooler', value: figures.peer / length },
        goal: { of: 'value', most: 5 },
      }),
    );
  },
};

let chains = 0;

/** Milliseconds from the release of the first of so many tasks until the last is done. */
export async function chained(machine: Machine, pool = 'shell'): Promise<number> {
  chains += 1;
  const name = (place: number) => `chain-${chains}-${place}`;
  const first = await submit(machine, { pool, name: name(1), hold: true });
  let last = first;
  for (let place = 2; place <= length; place++) {
    const dependencies = [{ kind: 'success' as const, name: name(place - 1) }];
    last = await submit(machine, { pool, name: name(place), dependencies });
  }
  const done = machine.client.whenDone(last);
  return timed(async () => {
    await machine.client.release(first);
    const { status } = await done;
    if (status !== 'SUCCESS') throw new Error(`${last} ended ${status}`);
  });
}

/** A task-spooler of our own, with its files where the server has its. */
async function spooler(bench: Bench, { cwd, env }: Machine): Promise<Surroundings> {
  await run('mkfifo', ['gate'], { cwd, env });
  const surroundings = { cwd, env: { ...env, TS_SOCKET: join(cwd, 'tsp.socket'), TMPDIR: cwd } };
  bench.atEnd(() => spawnSync('tsp', ['-K'], surroundings));
  return surroundings;
}

async function spooled(surroundings: Surroundings): Promise<number> {
  await run('tsp', ['sh', '-c', 'read word <gate'], surroundings);
  let last = '';
  for (let place = 1; place <= length; place++) last = await output('tsp', ['-d', 'true'], surroundings);
  const done = run('tsp', ['-w', last], surroundings);
  return timed(async () => {
    await run('sh', ['-c', 'echo go >gate'], surroundings);
    await done;
  });
}
