/** Pools and hosts as clients see them. */
import type { Pool } from '../config/configuration.ts';
import { emptyHolding } from '../model/holdings.ts';
import type { State } from '../model/state.ts';
import type { HostView, PoolView } from '../protocol/tasks.ts';
import type { HostState } from './fleet.ts';
import type { Rooms } from './rooms.ts';

export function poolViews(state: State, pools: readonly Pool[]): PoolView[] {
  return pools.map((pool) => ({
    name: pool.name,
    hosts: [...pool.hosts],
    ...pool.shape,
    slots: pool.slots,
    running: state.occupants.get(pool.key)?.size ?? 0,
    queued: queuedIn(state, pool.key),
    source: pool.source,
  }));
}

function queuedIn(state: State, key: string): number {
  let count = 0;
  for (const line of state.queues.get(key)?.values() ?? []) count += [...line].length;
  return count;
}

export function hostViews(state: State, rooms: Rooms): HostView[] {
  return [...rooms.hosts].map(([name, host]) => {
    const capacity = rooms.host(name)?.capacity ?? null;
    const holding = state.holdings.get(name) ?? emptyHolding();
    const others = rooms.othersOn(name);
    const gpus = [...(rooms.host(name)?.gpus ?? [])]
      .sort((a, b) => a - b)
      .map((index) => {
        const found = host.facts?.gpus[index];
        const { user = null, memory = null } = others.get(index) ?? {};
        return {
          index,
          name: found?.name ?? 'GPU',
          memory: found?.memory ?? 0,
          tasks: (holding.gpus.get(index) ?? []).map((number) => state.task(number).id),
          other: others.has(index) ? { user, memory } : null,
        };
      });
    return {
      name,
      state: stateWord(host),
      since: host.since === null ? null : new Date(host.since).toISOString(),
      reason: host.trouble,
      question: host.isLetGo ? null : (host.host.question?.kind ?? null),
      cpus: capacity?.cpus ?? 0,
      memory: capacity?.memory ?? 0,
      gpus,
      usedCpus: holding.cpus,
      usedMemory: holding.memory,
      running: holding.tasks.size,
    };
  });
}

function stateWord(host: HostState): HostView['state'] {
  if (host.isLetGo) return 'disconnected';
  if (host.online) return 'online';
  return host.since === null && host.trouble === null ? 'connecting' : 'unreachable';
}
