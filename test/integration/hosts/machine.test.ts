import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectFacts } from '../../../server/hosts/detect.ts';
import { Bed, presentShells } from './bed.ts';

describe('a machine', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbatch-machine-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A folder with just these programs: a script each, or null for the system's own. */
  function pathWith(name: string, programs: Record<string, string | null>): string {
    const bin = join(folder, name);
    mkdirSync(bin);
    for (const [program, script] of Object.entries(programs)) {
      if (script !== null) writeFileSync(join(bin, program), script, { mode: 0o755 });
      else symlinkSync(execFileSync('which', [program]).toString().trim(), join(bin, program));
    }
    return bin;
  }

  it('has at least one CPU and some memory, and GPUs only where a driver says so', async () => {
    const facts = await detectFacts({ PATH: pathWith('bare', {}) });
    expect(facts.cpus).toBeGreaterThan(0);
    expect(facts.memory).toBeGreaterThan(0);
    expect(facts.memory).toBeLessThanOrEqual(totalmem());
    expect(facts.gpus).toEqual([]);
  });

  it('has the GPUs that its driver lists', async () => {
    const nvidia = '#!/bin/sh\necho "1, NVIDIA B, 2048"\necho "0, NVIDIA A, 1024"\n';
    const { gpus } = await detectFacts({ PATH: pathWith('gpus', { 'nvidia-smi': nvidia }) });
    expect(gpus.map(({ name }) => name)).toEqual(['NVIDIA A', 'NVIDIA B']);
  });

  it('has none where the driver fails or talks nonsense', async () => {
    const path = pathWith('broken', {
      'nvidia-smi': '#!/bin/sh\necho "0, NVIDIA A, 1024"; exit 9\n',
      'rocm-smi': '#!/bin/sh\necho nonsense\n',
    });
    expect((await detectFacts({ PATH: path })).gpus).toEqual([]);
  });

  // What a host must have besides a shell. A program that is added here is a new demand on every host.
  const tools = ['cat', 'find', 'grep', 'ls', 'mkdir', 'mkfifo', 'rm', 'setsid', 'sh', 'sleep'];

  it('needs only a few programs, and no bash', async () => {
    const path = pathWith('few', Object.fromEntries(tools.map((tool) => [tool, null])));
    const bed = await Bed.open({ env: { PATH: path, SHELL: '/bin/sh' } });
    try {
      bed.answerAll();
      const { exit } = await bed.run(bed.script('vbatch x && vrun y && exit 3', { setup: 'X=1' }));
      expect(exit.exitCode).toBe(3);
      const key = bed.start(bed.script('sleep 1000'));
      await bed.reports.about('started', key);
      await bed.replaceHost();
      bed.host.stop(key, 1);
      expect((await bed.reports.exit(key)).signal).toBe('TERM');
    } finally {
      await bed.dispose();
    }
  });

  it('is offline, with the reason, where an agent cannot work', async () => {
    const env = { PATH: pathWith('none', {}), SHELL: '/bin/sh' };
    const broken = Bed.closed({ env, shell: ['/no/such/shell'] });
    broken.host.open(broken.reports);
    const reason = await broken.reports.until((report) =>
      report.type === 'offline' ? report.reason : undefined,
    );
    expect(reason).toMatch(/^its agent is not running: its shell could not be started: .*ENOENT/);
    await broken.dispose();
  });

  it('is offline, with the reason, where nothing can detach a task', async () => {
    const few = tools.filter((tool) => tool !== 'setsid');
    const env = {
      PATH: pathWith('attached', Object.fromEntries(few.map((tool) => [tool, null]))),
      SHELL: '/bin/sh',
    };
    const dash = execFileSync('which', ['dash']).toString().trim();
    await expect(Bed.open({ env, shell: [dash] })).rejects.toThrow('without bash or setsid; install one');
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  if (!canMount) console.error('SKIPPED: only root can mount a small disk, so none is filled.');

  it.runIf(canMount).each(presentShells)('R31 loses no end to a full disk under %s', async (name, shell) => {
    const disk = join(folder, `disk-${name}`);
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
    const bed = Bed.closed({ shell, folder: join(disk, 'host') });
    const fill = () => {
      try {
        execFileSync('dd', ['if=/dev/zero', `of=${join(disk, 'fill')}`, 'bs=4096'], { stdio: 'ignore' });
      } catch {
        // That it fails is the point.
      }
    };
    try {
      bed.host.open(bed.reports);
      await bed.reports.until((report) => report.type === 'online' || undefined);
      const running = bed.start(bed.script('until [ -e go ]; do sleep 0.02; done; exit 3'));
      await bed.reports.about('started', running);
      fill();
      writeFileSync(join(bed.work, 'go'), '');
      // It cannot be started, and that is told.
      const refused = bed.start({ command: ['true'], variables: { X: '1' } });
      const { exitCode, reason } = await bed.reports.exit(refused);
      expect([exitCode, reason]).toEqual([125, expect.stringContaining('nothing can be written')]);
      expect(bed.reports.count('ended', running)).toBe(0);
      rmSync(join(disk, 'fill'));
      expect((await bed.reports.exit(running)).exitCode).toBe(3);
    } finally {
      await bed.dispose();
      execFileSync('umount', [disk]);
    }
  });
});
