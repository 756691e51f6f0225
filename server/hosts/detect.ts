/** What this machine has: CPUs, memory, GPUs. A command is `{argv, parse}`; running it is done here. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { HostFacts } from './host.ts';

type Gpus = HostFacts['gpus'];

export interface GpuCommand {
  argv: readonly [string, ...string[]];
  parse(output: string): Gpus;
}

/** A driver that does not answer within this time counts as absent. Milliseconds. */
const patience = 5_000;
const mebibyte = 1024 * 1024;
/** Where drivers put their tools without adding that to PATH. */
const driverFolders = '/opt/rocm/bin:/usr/lib/wsl/lib';

/** One line a GPU: `index, name, MiB`. Memory is `[N/A]` on GPUs that share the host's. */
export const nvidia: GpuCommand = {
  argv: ['nvidia-smi', '--query-gpu=index,name,memory.total', '--format=csv,noheader,nounits'],
  parse(output) {
    const found: { index: number; name: string; memory: number }[] = [];
    for (const line of output.split('\n')) {
      const match = /^\s*(\d+),\s*(.*?),\s*([^,]*?)\s*$/.exec(line);
      if (!match) continue;
      const [, index, name = '', memory] = match;
      found.push({ index: Number(index), name, memory: (Number(memory) || 0) * mebibyte });
    }
    return found.sort((a, b) => a.index - b.index).map(({ name, memory }) => ({ name, memory }));
  },
};

const rocmSchema = z.record(z.string(), z.record(z.string(), z.coerce.string()));

/** One GPU of what rocm-smi prints: the number that it gives it, and what it says in a field of such a name. */
interface RocmCard {
  number: number;
  field: (name: RegExp) => string | undefined;
}

/**
 * Reads what `rocm-smi … --json` prints, after warnings: a key `cardN` for each GPU, and `system`. The names
 * of the fields differ between releases of ROCm. Without any GPU nothing is printed.
 */
export function rocmCards(output: string): { gpus: RocmCard[]; system: Record<string, string> } {
  const { system = {}, ...cards } = readRocm(output);
  const gpus = Object.entries(cards).flatMap(([card, fields]) => {
    const number = /^card(\d+)$/.exec(card)?.[1];
    const field = (name: RegExp) => Object.entries(fields).find(([key]) => name.test(key))?.[1];
    return number === undefined ? [] : { number: Number(number), field };
  });
  return { gpus: gpus.sort((a, b) => a.number - b.number), system };
}

function readRocm(output: string): z.output<typeof rocmSchema> {
  try {
    return rocmSchema.parse(JSON.parse(output.slice(output.indexOf('{'))));
  } catch {
    // It has said something else.
    return {};
  }
}

export const rocm: GpuCommand = {
  argv: ['rocm-smi', '--showproductname', '--showmeminfo', 'vram', '--json'],
  parse: (output) =>
    rocmCards(output).gpus.map(({ field }) => ({
      name: field(/^card series$/i) ?? field(/^card model$/i) ?? 'AMD GPU',
      memory: Number(field(/^VRAM Total Memory \(B\)$/i)) || 0,
    })),
};

/** Never fails: what cannot be found out counts as absent. */
export async function detectFacts(env: NodeJS.ProcessEnv): Promise<HostFacts> {
  const [green, red] = await Promise.all([gpusOf(nvidia, env), gpusOf(rocm, env)]);
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  };
  const limits = cgroupLimits(read);
  return {
    cpus: Math.min(availableParallelism(), limits.cpus),
    memory: Math.min(totalmem(), limits.memory),
    gpus: green.length > 0 ? green : red,
    address: hostname(),
  };
}

function gpusOf(command: GpuCommand, env: NodeJS.ProcessEnv): Promise<Gpus> {
  const [program, ...args] = command.argv;
  return new Promise((resolve) => {
    const path = `${env.PATH}:${driverFolders}`;
    const options = { env: { ...env, PATH: path }, timeout: patience, killSignal: 'SIGKILL' as const };
    execFile(program, args, options, (error, output) => {
      try {
        resolve(error ? [] : command.parse(output));
      } catch {
        resolve([]);
      }
    });
  });
}

/**
 * The narrowest limits that control groups set this process, in CPUs and bytes; Infinity for none. A
 * limit on a group holds for all groups below it. `cpuset` needs no look: the kernel's affinity
 * mask, which availableParallelism reads, has it. See cgroups(7).
 */
export function cgroupLimits(read: (path: string) => string | null): { cpus: number; memory: number } {
  const root = '/sys/fs/cgroup';
  let cpus = Number.POSITIVE_INFINITY;
  let memory = Number.POSITIVE_INFINITY;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers = '', group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (group === undefined) continue;
    const owned = controllers.split(',');
    for (const folder of ancestors(group)) {
      if (controllers === '') {
        const [quota, period] = numbers(read(join(root, folder, 'cpu.max')));
        cpus = Math.min(cpus, share(quota, period));
        memory = Math.min(memory, limit(numbers(read(join(root, folder, 'memory.max')))[0]));
      }
      if (owned.includes('cpu')) {
        const [quota] = numbers(read(join(root, 'cpu', folder, 'cpu.cfs_quota_us')));
        const [period] = numbers(read(join(root, 'cpu', folder, 'cpu.cfs_period_us')));
        cpus = Math.min(cpus, share(quota, period));
      }
      if (owned.includes('memory')) {
        memory = Math.min(
          memory,
          limit(numbers(read(join(root, 'memory', folder, 'memory.limit_in_bytes')))[0]),
        );
      }
    }
  }
  return { cpus, memory };
}

/** A group and all above it: `/a/b` gives `/a/b`, `/a`, `/`. */
function ancestors(group: string): string[] {
  const parts = group.split('/').filter((part) => part !== '');
  return Array.from(
    { length: parts.length + 1 },
    (_, up) => `/${parts.slice(0, parts.length - up).join('/')}`,
  );
}

/** The words of a control file as numbers; `max` is none. */
function numbers(text: string | null): number[] {
  return (text ?? '').trim().split(/\s+/).map(Number.parseFloat);
}

function share(quota = Number.NaN, period = Number.NaN): number {
  return quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY;
}

function limit(bytes = Number.NaN): number {
  return bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
}
