/** The agent's look at who uses the GPUs, with tools that print what drivers print. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GpuUse } from '../../../server/hosts/host.ts';
import { Bed, presentShells, until } from './bed.ts';

const fixtures = new URL('../../fixtures/gpus/', import.meta.url);
const uuid = (index: number) => `GPU-0000000${index}-1111-2222-3333-444444444444`;
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.error("SKIPPED: only root can start another user's process.");

describe.each(presentShells)('under %s', (_, shell) => {
  let folder: string;
  let bed: Bed | null = null;
  const processes: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbatch-gpus-'));
  });
  afterEach(async () => {
    for (const child of processes.splice(0)) child.kill('SIGKILL');
    await bed?.dispose();
    bed = null;
    rmSync(folder, { recursive: true });
  });

  /** A program before all others on the host's PATH. */
  function program(name: string, script: string): void {
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  function say(file: string, text: string): void {
    writeFileSync(join(folder, file), text);
  }

  function read(path: string): string {
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** nvidia-smi, which says of four GPUs what `gpus.csv` and `apps.csv` have. */
  function nvidiaSmi(): void {
    say('list.csv', [0, 1, 2, 3].map((index) => `${index}, NVIDIA T4, 16384\n`).join(''));
    say('gpus.csv', [0, 1, 2, 3].map((index) => `${index}, ${uuid(index)}, 3, 16384, Disabled\n`).join(''));
    say('apps.csv', '');
    program(
      'nvidia-smi',
      `case $1 in
      *compute-apps*) cat '${folder}/apps.csv' ;;
      *uuid*) cat '${folder}/gpus.csv' ;;
      *) cat '${folder}/list.csv' ;;
      esac`,
    );
  }

  function use(...apps: [index: number, pid: number, mib: number][]): void {
    say('apps.csv', apps.map(([index, pid, mib]) => `${uuid(index)}, ${pid}, ${mib}\n`).join(''));
  }

  async function open(): Promise<Bed> {
    const path = `${join(folder, 'bin')}:${process.env.PATH}`;
    bed = await Bed.open({ shell, env: { PATH: path, SHELL: '/bin/sh' }, gpuInterval: 20 });
    return bed;
  }

  /** The owners of the processes on each GPU, once they are as expected. */
  async function seen(host: Bed, from = 0): Promise<string[][]> {
    const found = await host.reports.until(
      (report) => (report.type === 'gpuUse' ? report.use : undefined),
      from,
    );
    return found.map(ownersOf);
  }

  function ownersOf(gpu: GpuUse): string[] {
    return gpu.processes.map(({ owner }) => {
      if (owner.kind === 'attempt') return owner.key;
      if (owner.kind === 'hidden') return 'hidden';
      return owner.self ? 'self' : owner.name;
    });
  }

  function start(command: string, options: { uid?: number; env?: NodeJS.ProcessEnv } = {}): number {
    const child = spawn(command, ['1000'], { stdio: 'ignore', ...options });
    processes.push(child);
    return child.pid ?? 0;
  }

  it('R24 tells ours from others, whoever they are', async () => {
    nvidiaSmi();
    const host = await open();
    const key = host.start(host.script('echo $$ >pid; env -i A=1 sleep 1000 & echo $! >child; wait'));
    await host.reports.about('started', key);
    const number = (file: string) => Number(read(join(host.work, file)));
    // Before it is what it is to be, it has the mark that it inherits.
    await until(() => number('child') > 0 && read(`/proc/${number('child')}/environ`) === 'A=1\0');
    const mine = start('sleep');
    // Not an environment of one line, and one in which our mark is that of another folder.
    const foreign = start('sleep', {
      env: { PATH: process.env.PATH, A: '1\n2', VBATCH_ATTEMPT_KEY: `${key}@other` },
    });
    const other = isRoot ? start('sleep', { uid: 65534 }) : mine;
    mkdirSync(join(folder, 'mps'));
    symlinkSync(
      execFileSync('which', ['sleep']).toString().trim(),
      join(folder, 'mps/nvidia-cuda-mps-server'),
    );
    const shared = start(join(folder, 'mps/nvidia-cuda-mps-server'));
    use([0, number('pid'), 1], [0, number('child'), 1], [1, mine, 1], [1, foreign, 1], [2, other, 1]);
    say(
      'apps.csv',
      `${readFileSync(join(folder, 'apps.csv'), 'utf8')}${uuid(3)}, ${shared}, 30\n${uuid(3)}, 4194305, 1\n`,
    );
    // The look that is under way may be older than what has been said.
    await seen(host, host.reports.all.length);
    expect(await seen(host, host.reports.all.length)).toEqual([
      [key, 'self'],
      ['self', 'self'],
      [isRoot ? 'nobody' : 'self'],
      ['hidden', 'hidden'],
    ]);
  });

  it('R24 looks at once, and again and again, and leaves nothing behind', async () => {
    nvidiaSmi();
    const host = await open();
    expect(await seen(host)).toEqual([[], [], [], []]);
    for (let look = 0; look < 20; look++) await seen(host, host.reports.all.length);
    const agent = host.pidOf('agent');
    const zombies = execFileSync('ps', ['-o', 'stat=', '--ppid', String(agent)])
      .toString()
      .split('\n')
      .filter((state) => state.startsWith('Z'));
    expect(zombies.length).toBeLessThan(3);
  });

  it('R24 goes on with everything else while the driver hangs', async () => {
    nvidiaSmi();
    const host = await open();
    await seen(host);
    program('nvidia-smi', `echo $$ >'${folder}/hanging'; exec sleep 1000`);
    const hanging = () => Number(read(join(folder, 'hanging')));
    await until(() => hanging() > 0);
    const { exit } = await host.run(host.script('exit 3'));
    expect(exit.exitCode).toBe(3);
    process.kill(hanging());
  });

  it('R24 finds out nothing where the driver fails, and says so', async () => {
    nvidiaSmi();
    const host = await open();
    program('nvidia-smi', "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
    await seen(host, host.reports.all.length);
    expect(await seen(host, host.reports.all.length)).toEqual([]);
  });

  it('R24 asks rocm-smi as well', async () => {
    const mine = start('sleep');
    const memory = readFileSync(new URL('rocm-5.4/memory.json', fixtures), 'utf8');
    say('memory.json', memory.replace('PID55573', `PID${mine}`));
    const pids = readFileSync(new URL('rocm-5.4/pids.txt', fixtures), 'utf8');
    say('pids.txt', pids.replace('PID 55573', `PID ${mine}`));
    const product = readFileSync(new URL('rocm-5.4/product.json', fixtures), 'utf8');
    say('product.json', product);
    program(
      'rocm-smi',
      `case $* in
      *pidgpus*) cat '${folder}/pids.txt' ;;
      *showpids*) cat '${folder}/memory.json' ;;
      *) cat '${folder}/product.json' ;;
      esac`,
    );
    const host = await open();
    expect(await seen(host)).toEqual([['self'], []]);
  });
});
