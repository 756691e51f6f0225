import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireLock, type Lock } from '../../../server/store/lock.ts';
import { withFolder } from './support.ts';

/** Leaves a socket behind on which nobody listens, under a claim's name. */
async function leaveDeadClaim(folder: string, name: string): Promise<void> {
  const path = join(folder, 'lock', name);
  await mkdir(join(folder, 'lock'), { recursive: true });
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(`${path}.new`, resolve));
  await rename(`${path}.new`, path);
  await new Promise((resolve) => server.close(resolve));
}

/** This machine's mark at the beginning of its claims. */
async function ownMark(folder: string): Promise<string> {
  const lock = await acquireLock(folder);
  const [name = ''] = await readdir(join(folder, 'lock'));
  await lock.release();
  return name.slice(0, 7);
}

describe('acquireLock', () => {
  it('admits one at a time', async () => {
    await withFolder(async (folder) => {
      const lock = await acquireLock(folder);
      for (let i = 0; i < 5; i++) {
        await expect(acquireLock(folder)).rejects.toMatchObject({
          code: 'refused',
          message: expect.stringContaining(
            `(process ${process.pid}) already uses the state folder ${folder}`,
          ),
        });
      }
      expect(await readdir(join(folder, 'lock'))).toHaveLength(1);
      await lock.release();
      await (await acquireLock(folder)).release();
      expect(await readdir(join(folder, 'lock'))).toEqual([]);
    });
  });

  it('admits exactly one of many that ask at once, dead claims or not', async () => {
    await withFolder(async (folder) => {
      const mark = await ownMark(folder);
      for (let round = 0; round < 30; round++) {
        for (let i = 0; i < round % 3; i++) {
          await leaveDeadClaim(folder, mark + randomBytes(4).toString('hex'));
        }
        const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(folder)));
        const owners = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
        expect(owners).toHaveLength(1);
        await Promise.all(owners.map((owner: Lock) => owner.release()));
        expect(await readdir(join(folder, 'lock'))).toEqual([]);
      }
    });
  });

  it('admits one at a time where sockets lie in no folder, as on Windows', async () => {
    await withFolder(async (folder) => {
      const pipes = join(folder, 'pipes');
      await mkdir(pipes);
      const pipeOf = (claim: string) => join(pipes, basename(claim));
      await mkdir(join(folder, 'lock'));
      const mark = await ownMark(folder);
      await writeFile(join(folder, 'lock', `${mark}00000000`), '');
      const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => acquireLock(folder, pipeOf)));
      const owners = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(owners).toHaveLength(1);
      await expect(acquireLock(folder, pipeOf)).rejects.toMatchObject({ code: 'refused' });
      await owners[0]?.release();
      await (await acquireLock(folder, pipeOf)).release();
      expect(await readdir(join(folder, 'lock'))).toEqual([]);
    });
  });

  it('does not touch the claim of another machine, which it cannot ask', async () => {
    await withFolder(async (folder) => {
      const mark = await ownMark(folder);
      const other = `${mark === '000000-' ? '111111-' : '000000-'}01234567`;
      await leaveDeadClaim(folder, other);
      await expect(acquireLock(folder)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining(`remove ${join(folder, 'lock', other)}`),
      });
      expect(await readdir(join(folder, 'lock'))).toEqual([other]);
    });
  });

  it('takes a file that is no socket for a dead claim', async () => {
    await withFolder(async (folder) => {
      const mark = await ownMark(folder);
      await writeFile(join(folder, 'lock', `${mark}01234567`), '');
      await (await acquireLock(folder)).release();
    });
  });

  it('names the remedy where the path is too long for a socket', async () => {
    await withFolder(async (folder) => {
      await expect(acquireLock(join(folder, 'x'.repeat(100)))).rejects.toMatchObject({
        code: 'configuration',
        message: expect.stringContaining('Set VBATCH_HOME to a shorter one'),
      });
    });
  });
});
