import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Machine } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { median } from '../rounds.ts';
import { sshPrograms } from './sshd.ts';
import { journey, whole } from './travelling.ts';

const rounds = 3;
const small = 2_000;
const large = 200_000_000;
const started = 30;

/** The files of a run on their way to another machine, and back. */
export const sshWorkspace: Measure = {
  name: 'ssh-workspace',
  needs: [...sshPrograms, 'rsync'],
  asRoot: true,
  how:
    `A folder of ${small.toLocaleString('en')} small files and one of ${large / 1e6} MB. \`true\` is submitted from ` +
    'it for a host that is an sshd on loopback and has never seen it, then again after one small file has changed: ' +
    'the time until the task has ended, which takes hashing, sending, and looking for results. Before each, a process ' +
    'touches 1.5 GB of memory, which a virtual machine may have given back. Beside it: ' +
    '`rsync -a` of the same folder to the same sshd, first into an empty folder, then again. Then, in a run whose ' +
    `files are there, how long ${started} tasks take from having their room to having started. Beside it: the same ` +
    'from a home folder, of which nothing travels.',
  async run(bench) {
    const figures = {
      first: [],
      again: [],
      rsyncFirst: [],
      rsyncAgain: [],
      start: [],
      bareStart: [],
    } as Record<string, number[]>;
    for (let round = 0; round <= rounds; round++) {
      for (const [name, value] of Object.entries(await oneRound(bench))) {
        // The first round warms caches and compilers.
        if (round > 0) figures[name]?.push(value);
      }
    }
    const of = (name: string) => median(figures[name] ?? []);
    return [
      {
        what: 'a task with its folder, first time',
        unit: 'ms',
        value: of('first'),
        beside: { what: 'rsync -a', value: of('rsyncFirst') },
        goal: { of: 'ratio', most: 1.5 },
      },
      {
        what: 'a task with its folder, after one change',
        unit: 'ms',
        value: of('again'),
        beside: { what: 'rsync -a', value: of('rsyncAgain') },
        goal: { of: 'ratio', most: 1 },
      },
      {
        what: 'the start of a task whose files are there',
        unit: 'ms',
        value: of('start'),
        beside: { what: 'one without files', value: of('bareStart') },
        goal: { of: 'value', most: Math.round(of('bareStart')) + 10 },
      },
    ];
  },
};

async function oneRound(bench: Bench): Promise<Record<string, number>> {
  const { machine, folder, rsync, task } = await journey(bench, bench.memory, small, large);
  const rsyncFirst = await rsync();
  const first = await task();
  writeFileSync(join(folder, 'part-0', 'file-0.txt'), `changed in ${performance.now()}\n`);
  const rsyncAgain = await rsync();
  const again = await task();
  const start = await startTime(machine, folder);
  const bareStart = await startTime(machine, machine.cwd);
  await machine.stop();
  return { first, again, rsyncFirst, rsyncAgain, start, bareStart };
}

/** Between having room and having started, on average, of tasks that one on the host submits one by one. */
async function startTime(machine: Machine, directory: string): Promise<number> {
  const script = `for i in $(seq ${started}); do vrun -P far --name step /bin/true; done`;
  const id = await whole(machine, directory, ['sh', '-c', script]);
  const { tasks } = await machine.client.list({ parent: id, limit: started });
  const times = await Promise.all(
    tasks.map(async (child) => {
      const [attempt] = (await machine.client.task(child.id)).attempts;
      return Date.parse(attempt?.startedAt ?? '') - Date.parse(attempt?.placedAt ?? '');
    }),
  );
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}
