/** Folders on their way to a host, by vbatch and by rsync. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type Machine, type Place, submit } from '../bench.ts';
import { run } from '../programs.ts';
import { timed } from '../rounds.ts';
import { SshBed } from './sshd.ts';

/** A file that was written a moment ago has to be read again; a person's files were written long ago. Milliseconds. */
const settling = 2_100;
/** About what both write of the files of a folder, and no more than a machine has to spare. Bytes. */
const touched = 1_500_000_000;

/** A person's folder, and a host that has never seen it. */
export interface Journey {
  readonly machine: Machine;
  readonly folder: string;
  /** Milliseconds that `rsync -a` takes, each time to the same place. */
  readonly rsync: () => Promise<number>;
  /** Milliseconds that a task takes in this folder, from its submission on. */
  readonly task: () => Promise<number>;
}

/** @param large bytes of one file beside the small ones; none for 0 */
export async function journey(bench: Bench, place: Place, small: number, large: number): Promise<Journey> {
  const bed = await SshBed.open(bench, place);
  const host = await bed.serve('n1');
  const machine = await bed.machine([host]);
  const folder = join(machine.cwd, 'project');
  const perFolder = Math.max(50, Math.sqrt(small));
  for (let index = 0; index < small; index++) {
    const home = join(folder, `part-${Math.floor(index / perFolder)}`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, `file-${index}.txt`), `line ${index} of a file\n`.repeat(80));
  }
  mkdirSync(folder, { recursive: true });
  if (large > 0) writeRandom(join(folder, 'large'), large);
  await sleep(settling);
  const to = join(bench.folder(place), 'copy');
  const words = ['-a', '-e', `ssh -F ${bed.config}`, `${folder}/`, `${host.name}:${to}/`];
  const timedAlike = async (work: () => Promise<unknown>) => {
    await touchMemory(machine);
    return timed(work);
  };
  return {
    machine,
    folder,
    rsync: () => timedAlike(() => run('rsync', words, machine)),
    task: () => timedAlike(() => whole(machine, folder, ['/bin/true'])),
  };
}

/**
 * A virtual machine may give memory back that nobody uses, and then each first touch of a page waits for its host: copies
 * of 200 MB took four times as long as those of a moment later. That would measure the machine.
 */
async function touchMemory(machine: Machine): Promise<void> {
  await run(process.execPath, ['-e', `Buffer.alloc(${touched}, 1)`], machine);
}

function writeRandom(path: string, size: number): void {
  const most = 64_000_000;
  for (let left = size; left > 0; left -= most) {
    writeFileSync(path, randomBytes(Math.min(left, most)), { flag: 'a' });
  }
}

/** Runs a task to its end and gives its id. */
export async function whole(machine: Machine, directory: string, command: string[]): Promise<string> {
  const id = await submit(machine, { command, directory, pool: 'far' });
  const { status, reason } = await machine.client.whenDone(id);
  if (status !== 'SUCCESS') throw new Error(`${id} ended ${status}: ${reason}`);
  return id;
}
