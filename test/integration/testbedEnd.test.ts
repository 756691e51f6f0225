/** How a test bed ends, and that nothing is left of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { possible, Testbed } from '../support/testbed/testbed.ts';

const obstacle = possible();
if (obstacle !== null) console.warn(`NOT TESTED: hosts behind SSH (${obstacle})`);

/** What tells a bed's traces from those of others, which come and go meanwhile. */
interface Marks {
  folder: string;
  address: string;
  /** Names that no other bed's hosts have. */
  hosts: readonly string[];
  /** Processes of the hosts. */
  pids: readonly number[];
}

function marksOf(bed: Testbed, hosts: readonly string[]): Marks {
  const pids = hosts.flatMap((name) => bed.host(name).processes()).map(({ outerPid }) => outerPid);
  return { folder: bed.folder, address: bed.host(hosts[0] ?? '').address, hosts, pids };
}

/** What there is of a bed, so that what another has later, under the same number, is not taken for it. */
function tracesOf({ folder, address, hosts, pids }: Marks): string[] {
  const bed = `vbed${address.split('.')[2]}`;
  const link = `/sys/class/net/${bed}/ifindex`;
  const groups = ['freezer', 'unified', '.'].flatMap((kind) => entries(join('/sys/fs/cgroup', kind)));
  return [
    ...[...pids, ...processesOf(folder)].map((pid) => `process ${pid} since ${startOf(pid)}`),
    ...readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(folder)),
    ...(existsSync(link) ? [`link ${readFileSync(link, 'utf8')}`] : []),
    ...groups.filter((path) => hosts.some((name) => path.endsWith(`/${bed}-${name}`))),
    ...entries(join(folder, '..')).filter((path) => path === folder),
  ];
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** When a process started, as the kernel counts; undefined when it is gone. */
function startOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop()?.split(' ')[19];
  } catch {
    return undefined;
  }
}

/** The processes of this machine that have the text among their arguments. */
function processesOf(text: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function keeperOf(folder: string): number {
  return Number(processesOf(`keeper.sh\0${folder}\0`)[0]);
}

describe.skipIf(obstacle !== null)('the end of a bed', () => {
  it('leaves nothing behind, also when hosts are frozen, crashed or busy', async () => {
    const names = ['end1', 'end2', 'end3'];
    const bed = await Testbed.up({ hosts: names.map((name) => ({ name })) });
    await bed.host('end3').exec(['sh', '-c', 'setsid sleep 1000 </dev/null >/dev/null 2>&1 &']);
    const marks = marksOf(bed, names);
    const before = tracesOf(marks);
    for (const kind of [/^process \d+ since/, /^link/, /end1$/, new RegExp(`^${bed.folder}$`)]) {
      expect(before).toContainEqual(expect.stringMatching(kind));
    }
    await bed.host('end1').freeze();
    await bed.host('end2').crash();
    await bed.down();
    const after = tracesOf(marks);
    expect(before.filter((trace) => after.includes(trace))).toEqual([]);
    await bed.down();
    await expect(bed.host('end1').boot()).rejects.toThrow('gone');
  });

  it('comes by itself when the tests are killed', async () => {
    const script = `
      import { Testbed } from './testbed.ts';
      const bed = await Testbed.up({ hosts: [{ name: 'orphan1' }, { name: 'orphan2' }] });
      const hosts = ['orphan1', 'orphan2'];
      const pids = hosts.flatMap((name) => bed.host(name).processes()).map(({ outerPid }) => outerPid);
      console.log(JSON.stringify({ folder: bed.folder, address: bed.host('orphan1').address, hosts, pids }));
      setInterval(() => {}, 1e6);
    `;
    const resolveDir = join(import.meta.dirname, '../support/testbed');
    const { outputFiles } = await build({
      stdin: { contents: script, resolveDir, loader: 'ts' },
      define: { 'import.meta.dirname': JSON.stringify(resolveDir) },
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
    });
    const child = spawn(process.execPath, ['--input-type=module', '-'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(outputFiles[0]?.text);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const marks = JSON.parse(line) as Marks;
    const before = tracesOf(marks);
    expect(before.length).toBeGreaterThan(8);
    child.kill('SIGKILL');
    const left = () => tracesOf(marks).filter((trace) => before.includes(trace));
    await expect.poll(left, { timeout: 5000 }).toEqual([]);
  });

  it('comes by the kernel, but for folders, when its keeper is killed', async () => {
    const bed = await Testbed.up({ hosts: [{ name: 'alone1' }] });
    const marks = marksOf(bed, ['alone1']);
    const before = tracesOf(marks);
    process.kill(keeperOf(bed.folder), 'SIGKILL');
    const left = () => tracesOf(marks).filter((trace) => before.includes(trace));
    await expect.poll(() => left().filter((trace) => !trace.startsWith('/')), { timeout: 5000 }).toEqual([]);
    await expect(bed.host('alone1').freeze()).rejects.toThrow('gone');
    await bed.down();
    // A control group can be removed when the machine's init has buried who was in it.
    const groupsLeft = () => left().filter((path) => !removed(path));
    await expect.poll(groupsLeft, { timeout: 10_000 }).toEqual([]);
  });

  it('comes early when a host cannot be made', async () => {
    const up = (host: object) => Testbed.up({ hosts: [{ name: 'early1' }, { name: 'early2', ...host }] });
    await Promise.all([
      expect(up({ shell: '/bin/nosuch' })).rejects.toThrow('early2 cannot have /bin/nosuch'),
      expect(up({ name: 'no name' })).rejects.toThrow('"no name" is no name'),
      expect(up({ sshd: ['Nonsense yes'] })).rejects.toThrow(/sshd does not listen on early2:[^]*Nonsense/),
      expect(up({ disk: 'big' })).rejects.toThrow('add early2'),
      expect(up({ files: { '/bin/tool': { text: '' } } })).rejects.toThrow('boot early2'),
    ]);
    expect(processesOf('early1')).toEqual([]);
  });
});
