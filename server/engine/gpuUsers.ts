/** Who besides our tasks uses the GPUs of hosts, judged by what their drivers show (R24). */
import type { GpuProcess, GpuUse } from '../hosts/host.ts';
import type { State } from '../model/state.ts';
import { parseKey } from './logs.ts';

/** Somebody else on a GPU. */
export interface GpuOther {
  /** Whose processes they are; null where that is not to be seen. */
  user: string | null;
  /** Bytes that they have there; null where the driver does not tell. */
  memory: number | null;
  /** What the GPU is said to be, such as `is used by another user (ada), 31 GiB`. */
  why: string;
}

/**
 * Where the driver hides processes, as it does from a container, more memory in use than this share of a
 * GPU that no task of ours holds is somebody's; a screen may take as much as the second share.
 */
const hiddenShare = 0.1;
const screenShare = 0.5;

/** What is remembered of a host from one look to the next. */
interface Look {
  at: number;
  /** GPUs that tasks of ours held. */
  held: ReadonlySet<number>;
  others: ReadonlyMap<number, GpuOther>;
}

export class GpuUsers {
  private readonly looks = new Map<string, Look>();

  /** By index; null before the first look at that host. */
  on(host: string): ReadonlyMap<number, GpuOther> | null {
    return this.looks.get(host)?.others ?? null;
  }

  /** Takes what a look has found. Returns whether that changes anything. */
  note(host: string, use: readonly GpuUse[], state: State, now: number): boolean {
    const before = this.looks.get(host);
    const held = new Set(state.holdings.get(host)?.gpus.keys());
    // A task may have ended, and another may have started, since the host was looked at.
    const others = othersOn(use, {
      holds: (key, index) => mayHold(state, host, key, index, before?.at ?? now),
      isHeld: (index) => held.has(index) || before?.held.has(index) === true,
    });
    this.looks.set(host, { at: now, held, others });
    return before === undefined || textOf(others) !== textOf(before.others);
  }
}

/** All that a person is shown of it. */
function textOf(others: ReadonlyMap<number, GpuOther>): string {
  return [...others].map(([index, { why }]) => `${index} ${why}`).join('\n');
}

/** Whether an attempt held this GPU at this time or later. */
function mayHold(state: State, host: string, key: string, index: number, since: number): boolean {
  const { task, attempt } = parseKey(key);
  const found = state.tasks.get(task)?.attempts[attempt - 1];
  if (found === undefined || found.allocation.host !== host || !found.allocation.gpus.includes(index))
    return false;
  return found.endedAt === null || found.endedAt >= since;
}

/** What our tasks have to do with a host's GPUs. */
export interface Ours {
  /** Whether that attempt holds the GPU, or did a moment ago. */
  holds: (key: string, index: number) => boolean;
  /** Whether any does. */
  isHeld: (index: number) => boolean;
}

/** Who else is on which GPU. */
export function othersOn(use: readonly GpuUse[], ours: Ours): Map<number, GpuOther> {
  const found = new Map<number, GpuOther>();
  for (const gpu of use) {
    const other = otherOn(gpu, ours);
    if (other !== null) found.set(gpu.index, other);
  }
  return found;
}

function otherOn({ index, used, total, mayShowScreen, processes }: GpuUse, ours: Ours): GpuOther | null {
  const strange = processes.filter(
    ({ owner }) => owner.kind === 'user' || (owner.kind === 'attempt' && !ours.holds(owner.key, index)),
  );
  const [first] = strange.toSorted((a, b) => (b.memory ?? 0) - (a.memory ?? 0));
  if (first !== undefined) {
    const user = first.owner.kind === 'user' ? first.owner.name : null;
    return other(whoseText(first.owner), user, sum(strange));
  }
  // Of hidden processes nobody knows whose they are: on a GPU that a task holds they may be the task's.
  if (ours.isHeld(index) || used === null || total === null) return null;
  const share = mayShowScreen ? screenShare : hiddenShare;
  return used <= total * share
    ? null
    : other('is used by processes that its driver does not show', null, used);
}

function whoseText(owner: GpuProcess['owner']): string {
  if (owner.kind === 'attempt') return 'is used by a task that does not hold it';
  if (owner.kind === 'user' && owner.self) return `is used by a process of ${owner.name} that is no task`;
  return owner.kind === 'user' ? `is used by another user (${owner.name})` : 'is used';
}

function other(who: string, user: string | null, memory: number | null): GpuOther {
  return { user, memory, why: memory === null ? who : `${who}, ${gib(memory)}` };
}

/** Null where the memory of any of them is not told. */
function sum(processes: readonly GpuProcess[]): number | null {
  let bytes = 0;
  for (const { memory } of processes) {
    if (memory === null) return null;
    bytes += memory;
  }
  return bytes;
}

function gib(bytes: number): string {
  const size = bytes / 1024 ** 3;
  return `${size < 10 ? Math.round(size * 10) / 10 : Math.round(size)} GiB`;
}
