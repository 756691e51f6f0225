/** Who uses the GPUs of a machine, as its drivers' tools say it. agent/gpus.sh asks them. */
import { rocmCards } from './detect.ts';
import type { GpuProcess, GpuUse } from './host.ts';
import { Told } from './told.ts';

const mebibyte = 1024 * 1024;

/** What one look has found, a GPU each; empty where it found out nothing. */
export function readGpuUse(text: string): GpuUse[] {
  const told = new Told(text);
  if (told.one('end') === undefined) return [];
  const owners = ownersIn(told);
  const green = nvidiaUse(told.all('nvidia'), told.all('nvidia-app'), owners);
  return green.length > 0
    ? green
    : rocmUse(told.all('rocm').join('\n'), told.all('rocm-pid').join('\n'), owners);
}

type Owners = (pid: number) => GpuProcess['owner'];

function ownersIn(told: Told): Owners {
  const self = told.one('self');
  const pairs = (name: string) =>
    new Map(told.all(name).map((line) => [Number(line.split(' ')[0]), line.slice(line.indexOf(' ') + 1)]));
  const attempts = pairs('attempt');
  const users = pairs('owner');
  return (pid) => {
    const key = attempts.get(pid);
    if (key !== undefined) return { kind: 'attempt', key };
    const name = users.get(pid);
    return name === undefined ? { kind: 'hidden' } : { kind: 'user', name, self: name === self };
  };
}

/**
 * @param gpus lines `index, uuid, MiB used, MiB in all, display active`. A value that a driver does not tell
 *   is a word in brackets, such as `[N/A]` or `[Unknown Error]`; a GPU that it has lost has no such line.
 * @param apps lines `uuid, pid, MiB`; other lines, such as `No running processes found`, say nothing.
 */
export function nvidiaUse(gpus: readonly string[], apps: readonly string[], owners: Owners): GpuUse[] {
  const processes = new Map<string, GpuProcess[]>();
  for (const line of apps) {
    const [, uuid = '', pid, memory] = /^\s*([^,\s]+), *(\d+), *([^,]*?)\s*$/.exec(line) ?? [];
    if (pid === undefined) continue;
    const process = { memory: mebibytes(memory), owner: owners(Number(pid)) };
    processes.set(uuid, [...(processes.get(uuid) ?? []), process]);
  }
  return gpus.flatMap((line) => {
    const [index = '', uuid = '', used, total, screen = ''] = line.split(',').map((field) => field.trim());
    if (!/^\d+$/.test(index) || total === undefined) return [];
    return {
      index: Number(index),
      used: mebibytes(used),
      total: mebibytes(total),
      mayShowScreen: screen !== 'Disabled',
      processes: processes.get(uuid) ?? [],
    };
  });
}

function mebibytes(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * mebibyte : null;
}

/**
 * @param json of `rocm-smi --showmeminfo vram --showpids --json`: `cardN` for each GPU, and under `system`
 *   `PIDn: "name, GPUs, bytes, SDMA, CUs"` in small letters.
 * @param pids of `rocm-smi --showpidgpus`: `PID n is using k DRM device(s):`, then a line with their numbers.
 */
export function rocmUse(json: string, pids: string, owners: Owners): GpuUse[] {
  const cards = rocmCards(json);
  const memory = new Map<number, number | null>();
  for (const [name, text] of Object.entries(cards.system)) {
    const pid = /^PID *(\d+)$/i.exec(name)?.[1];
    const bytes = text.split(',').at(-3)?.trim() ?? '';
    if (pid !== undefined) memory.set(Number(pid), /^\d+$/.test(bytes) ? Number(bytes) : null);
  }
  const users = new Map<number, number[]>();
  for (const [, pid, numbers = ''] of pids.matchAll(
    /^PID (\d+) is using [1-9]\d* DRM device\(s\):\n([\d ]+)$/gm,
  )) {
    for (const number of numbers.trim().split(/ +/)) {
      users.set(Number(number), [...(users.get(Number(number)) ?? []), Number(pid)]);
    }
  }
  const places = new Map<number, number>();
  for (const pid of [...users.values()].flat()) places.set(pid, (places.get(pid) ?? 0) + 1);
  return cards.gpus.map(({ number, field }, index) => ({
    index,
    used: bytesOf(field(/^VRAM Total Used Memory \(B\)$/i)),
    total: bytesOf(field(/^VRAM Total Memory \(B\)$/i)),
    mayShowScreen: true,
    processes: (users.get(number) ?? []).map((pid) => ({
      // Of a process on several GPUs only the sum is known.
      memory: places.get(pid) === 1 ? (memory.get(pid) ?? null) : null,
      owner: owners(pid),
    })),
  }));
}

function bytesOf(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
