import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Measure } from '../measure.ts';
import { sshPrograms } from './sshd.ts';
import { journey } from './travelling.ts';

const files = 50_000;

/** A folder of very many small files on its way to another machine. */
export const sshManyFiles: Measure = {
  name: 'ssh-many-files',
  needs: [...sshPrograms, 'rsync'],
  asRoot: true,
  how:
    `As **ssh-workspace**, once, with a folder of ${files.toLocaleString('en')} small files and no large one. ` +
    'Beside it: `rsync -a` of the same folder.',
  async run(bench) {
    const { machine, folder, rsync, task } = await journey(bench, bench.memory, files, 0);
    const first = { beside: await rsync(), value: await task() };
    writeFileSync(join(folder, 'part-0', 'file-0.txt'), `changed in ${performance.now()}\n`);
    const again = { beside: await rsync(), value: await task() };
    await machine.stop();
    const count = files.toLocaleString('en');
    return [
      {
        what: `a task with ${count} files, first time`,
        unit: 'ms',
        value: first.value,
        beside: { what: 'rsync -a', value: first.beside },
        goal: null,
      },
      {
        what: `a task with ${count} files, after one change`,
        unit: 'ms',
        value: again.value,
        beside: { what: 'rsync -a', value: again.beside },
        goal: null,
      },
    ];
  },
};
