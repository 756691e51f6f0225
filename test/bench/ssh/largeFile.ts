import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Measure } from '../measure.ts';
import { sshPrograms } from './sshd.ts';
import { journey } from './travelling.ts';

const size = 3_000_000_000;
const changed = 1_000;

/** A file of gigabytes on its way to another machine, and again when little of it has changed. */
export const sshLargeFile: Measure = {
  name: 'ssh-large-file',
  needs: [...sshPrograms, 'rsync'],
  asRoot: true,
  how:
    `As **ssh-workspace**, once and on a disk, with a folder of one file of ${size / 1e9} GB, of which ` +
    `${changed.toLocaleString('en')} bytes change in between. Beside it: \`rsync -a\` of the same folder.`,
  async run(bench) {
    const { machine, folder, rsync, task } = await journey(bench, bench.disk, 0, size);
    const first = { beside: await rsync(), value: await task() };
    const file = openSync(join(folder, 'large'), 'r+');
    writeSync(file, Buffer.alloc(changed, 'changed '), 0, changed, size / 2);
    closeSync(file);
    const again = { beside: await rsync(), value: await task() };
    await machine.stop();
    return [
      {
        what: `a task with a file of ${size / 1e9} GB, first time`,
        unit: 's',
        value: first.value / 1000,
        beside: { what: 'rsync -a', value: first.beside / 1000 },
        goal: null,
      },
      {
        what: `a task with a file of ${size / 1e9} GB, after a change of 1 kB`,
        unit: 's',
        value: again.value / 1000,
        beside: { what: 'rsync -a', value: again.beside / 1000 },
        goal: null,
      },
    ];
  },
};
