/** What a shell has open when it types `vbatch` is its own, also where that starts the server. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../server/client/launch.ts';
import { Sandbox } from './sandbox.ts';

describe.skipIf(process.platform !== 'linux')('a server that a script has started', () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = new Sandbox();
  });
  afterAll(() => sandbox.remove());

  /** Whether somebody else can have the lock by now. */
  const isFree = (lock: string) => {
    try {
      execFileSync('flock', ['--nonblock', join(sandbox.work, lock), 'true']);
      return true;
    } catch {
      return false;
    }
  };

  it('lets go of the locks and pipes that the script had open, and so do its tasks', async () => {
    const { code, stdout } = await sandbox.shell(`
      exec 9>low 18>middle 200>high 210> >(exec >end 2>&1; cat; echo of file)
      for lock in 9 18 200; do flock --nonblock $lock || exit 3; done
      vbatch sleep 60`);
    expect(code).toBe(0);
    const id = stdout.trim();
    await expect.poll(async () => (await sandbox.task(id)).status, { timeout: 10_000 }).toBe('RUNNING');

    await expect.poll(() => sandbox.read('end'), { timeout: 10_000 }).toBe('of file\n');
    expect(['low', 'middle', 'high'].map(isFree)).toEqual([true, true, true]);
    const { pid } = sandbox.discovery() ?? { pid: 0 };
    expect(isAlive(pid)).toBe(true);
    const open = readdirSync(`/proc/${pid}/fd`).map((descriptor) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      } catch {
        return 'closed meanwhile';
      }
    });
    expect(open.filter((target) => target.startsWith(sandbox.work))).toEqual([]);
    await sandbox.run('vctl', ['cancel', id]);
  });
});
