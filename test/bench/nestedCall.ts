import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type Machine, submit, timeOf } from './bench.ts';
import type { Measure, Row } from './measure.ts';
import { run } from './programs.ts';
import { interleave, timed } from './rounds.ts';

const rounds = 5;
const calls = 200;

/** Runs its arguments after the first so many times. */
const loop = `i=0
while [ $i -lt "$1" ]; do
  (shift; exec "$@") >/dev/null || exit
  i=$((i + 1))
done
`;
/** Answers each line of one FIFO by a line on another, until it is killed. */
const responder = `exec 3<>request 4<>reply
printf 'ready\\n'
while read -r line <&3; do printf '0\\n' >&4; done
`;
/** The least that asking somebody by a script takes. */
const caller = `#!/bin/sh
printf 'call\\n' 1<>request
read -r code <reply
exit "$code"
`;

/** What a call of vbatch costs inside a task. */
export const nestedCall: Measure = {
  name: 'nested',
  needs: ['mkfifo'],
  how:
    `A task runs a shell loop of ${calls} calls of \`vbatch\`: the time between its recorded start and end, by ` +
    'the number of calls. With `--hold` that is the call alone; without, the tasks that it makes run meanwhile ' +
    'and take their share of the CPUs. Beside it: the same loop around a script of `/bin/sh` that asks another ' +
    'one through a pair of FIFOs.',
  async run(bench) {
    const machine = await bench.machine(bench.memory);
    const floor = await startFloor(bench, machine);
    const figures = await interleave(rounds, {
      floor,
      held: () => callTime(machine, { command: ['vbatch', '--hold', 'true'], calls }),
      running: () => callTime(machine, { command: ['vbatch', 'true'], calls }),
    });
    await machine.stop();
    const beside = { what: 'a script and two FIFOs', value: figures.floor };
    const row = (what: string, value: number, goal: Row['goal']): Row => {
      return { what: `${what}, ${bench.memory.name}`, unit: 'ms', value, beside, goal };
    };
    return [
      row('a nested call', figures.held, { of: 'value', most: 3 }),
      row('a nested call while its tasks run', figures.running, null),
    ];
  },
};

export interface Calls {
  /** The call. */
  command: readonly string[];
  /** How many. */
  calls: number;
  /** Where the task runs that makes them. */
  pool?: string;
  /** In which directory; in the home folder without it. */
  directory?: string;
}

/** Milliseconds for each of the calls that a task makes. */
export async function callTime(machine: Machine, { command, calls, ...where }: Calls): Promise<number> {
  const words = ['sh', '-c', loop, 'sh', String(calls), ...command];
  const id = await submit(machine, { command: words, ...where });
  // The wait for a task includes its children, of which some are held: its own end has to be asked for.
  let task = await machine.client.task(id);
  while (task.finishedAt === null) {
    await sleep(50);
    task = await machine.client.task(id);
  }
  if (task.children.total !== calls) throw new Error(`${id} made ${task.children.total} tasks`);
  await machine.client.cancel(id);
  await machine.client.whenDone(id);
  return (timeOf(task.finishedAt) - timeOf(task.startedAt)) / calls;
}

/** A function that gives the milliseconds for each time that a script asks another one. */
export async function startFloor(bench: Bench, { cwd, env }: Machine): Promise<() => Promise<number>> {
  const call = join(cwd, 'call.sh');
  writeFileSync(call, caller);
  chmodSync(call, 0o755);
  await run('mkfifo', ['request', 'reply'], { cwd, env });
  const answering = spawn('sh', ['-c', responder], { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] });
  bench.atEnd(() => answering.kill());
  // What is written to a FIFO that nobody holds open is lost.
  await once(answering.stdout, 'data');
  const words = ['-c', loop, 'sh', String(calls), call];
  return async () => (await timed(() => run('sh', words, { cwd, env }))) / calls;
}
