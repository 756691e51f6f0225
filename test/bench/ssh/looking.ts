import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Measure } from '../measure.ts';
import { callTime } from '../nestedCall.ts';
import { run } from '../programs.ts';
import { interleave, timed } from '../rounds.ts';
import { SshBed, sshPrograms } from './sshd.ts';

const rounds = 5;
const calls = 50;
const files = 1_000;

/** What it takes to look at the folder whenever a task of this machine submits one for another. */
export const sshLooking: Measure = {
  name: 'ssh-looking',
  needs: [...sshPrograms, 'git', 'find'],
  asRoot: true,
  how:
    `As **nested**, by a task of this machine in a git repository of ${files.toLocaleString('en')} files, with ` +
    '`--hold`: for a host that is an sshd on loopback and to which files travel, so that each call looks at the ' +
    'folder. Beside it: the same for this machine, for which nobody looks. Then the difference of both, and ' +
    'beside that `find . -type f -printf` of the folder, with the start of its process.',
  async run(bench) {
    const bed = await SshBed.open(bench);
    const machine = await bed.machine([await bed.serve('n1')]);
    const directory = join(machine.cwd, 'project');
    for (let index = 0; index < files; index++) {
      const place = join(directory, `part-${index % 40}`);
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, `file-${index}.py`), `line ${index}\n`.repeat(40));
    }
    writeFileSync(join(directory, '.gitignore'), '*.pyc\n/out/\n');
    const inProject = { ...machine, cwd: directory };
    await run('git', ['init', '-q'], inProject);
    await run('git', ['add', '.'], inProject);
    const call = (...flags: string[]) =>
      callTime(machine, { command: ['vbatch', '--hold', ...flags, 'true'], calls, directory });
    const list = ['.', '-type', 'f', '-printf', '%p %s %T@ %C@ %i\\n'];
    const { far, here, find } = await interleave(rounds, {
      far: () => call('-P', 'far'),
      here: () => call(),
      find: () => timed(() => run('find', list, inProject)),
    });
    await machine.stop();
    return [
      {
        what: `a nested call for a host, from a folder of ${files.toLocaleString('en')} files`,
        unit: 'ms',
        value: far,
        beside: { what: 'one for this machine', value: here },
        goal: { of: 'value', most: Math.round(here) + 10 },
      },
      {
        what: `a look at a folder of ${files.toLocaleString('en')} files`,
        unit: 'ms',
        value: far - here,
        beside: { what: '`find -printf`', value: find },
        goal: { of: 'value', most: 10 },
      },
    ];
  },
};
