import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptOf, segmentOf, taskName } from '../../../server/model/naming.ts';

/** Command, name of the task, script that it runs. */
const commands: [string[], string, string | null][] = [
  [['python', 'a/b/train.py', '--x'], 'train', 'a/b/train.py'],
  [['./pipeline.sh'], 'pipeline', './pipeline.sh'],
  [['bash', '-c', 'ls *.csv | wc -l'], 'bash', null],
  [['python', '-m', 'pkg.mod', 'x.py'], 'mod', null],
  [['python3.11', '-umpkg.mod'], 'mod', null],
  [['python', '-u', '-W', 'ignore', 'train.py'], 'train', 'train.py'],
  [['/usr/bin/python3', '-c', 'print(1)', 'x.py'], 'python3', null],
  [['python3', '-'], 'python3', null],
  [['python3'], 'python3', null],
  [['bash', '-euo', 'pipefail', 'scripts/run.sh', 'a'], 'run', 'scripts/run.sh'],
  [['bash', '-lc', 'x.sh'], 'bash', null],
  [['sh', '--', '-odd.sh'], '-odd', '-odd.sh'],
  [['perl', '-MList::Util', '-w', 'count.pl'], 'count', 'count.pl'],
  [['perl', '-lane', 'print $F[0]', 'data.txt'], 'perl', null],
  [['node', '--import', './hook.mjs', 'build.mjs'], 'build', 'build.mjs'],
  [['Rscript', '--vanilla', 'a.R'], 'a', 'a.R'],
  [['env', '-u', 'X', 'A=1', 'python', 'x.py'], 'x', 'x.py'],
  [['env'], 'env', null],
  [['pipeline.sh', 'x'], 'pipeline', 'pipeline.sh'],
  [['/opt/bin/solver-2.1', 'in.dat'], 'solver-2.1', '/opt/bin/solver-2.1'],
  [['sort', 'data.py'], 'sort', null],
  [['./.sh'], '.sh', './.sh'],
  [['./dir/'], 'dir', './dir/'],
  [['/'], 'task', '/'],
  [[''], 'task', null],
  [[], 'task', null],
];

describe('R8 a task without --name is named after what it runs', () => {
  it.each(commands)('R8 %j is named %s and runs the script %s', (command, name, script) => {
    expect(taskName(command)).toBe(name);
    expect(scriptOf(command)).toBe(script);
  });

  it('R8 a name is never empty and never longer than a file name', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 4 }), (command) => {
        const length = [...taskName(command)].length;
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(255);
      }),
    );
  });
});

describe('R7 what a name becomes in an id', () => {
  it.each([
    ['train', 'train'],
    ['a b/c.csv', 'a_b_c.csv'],
    ['日本-1', '__-1'],
    ['😀', '_'],
    ['\udc80', '_'],
    ['.', '_'],
    ['..', '__'],
    ['...', '...'],
    ['', '_'],
    ['x'.repeat(500), 'x'.repeat(100)],
  ])('R7 %j becomes %j', (name, segment) => {
    expect(segmentOf(name)).toBe(segment);
  });

  it('R7 a segment holds allowed characters only, and is stable', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const segment = segmentOf(name);
        expect(segment).toMatch(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/);
        expect(segmentOf(segment)).toBe(segment);
      }),
    );
  });
});
