/** What the shards of a gang need to find each other, as programs that calculate together expect it (R21). */
import { gangOf, type State } from '../model/state.ts';
import type { Task } from '../model/task.ts';

/**
 * Ports for MASTER_PORT: from the one that PyTorch takes by default up to where Linux begins to give
 * ports to outgoing connections.
 */
const firstPort = 29_500;
const ports = 32_768 - firstPort;
/** Ports for the attempts of one gang, before those of the next task's begin. */
const portsPerTask = 17;

/**
 * The variables of a shard that has just been placed with its gang; none for any other task. `addressOf`
 * gives the name or address by which other hosts reach a host.
 */
export function gangVariables(
  state: State,
  task: Task,
  addressOf: (host: string) => string,
): Record<string, string> {
  const group = gangOf(state, task);
  const own = task.attempts.at(-1);
  if (group === null || own === undefined) return {};
  const together = group.children
    .map((number) => state.task(number))
    // Those that were cancelled before are no part of it.
    .filter((shard) => shard.attempts.at(-1)?.placedAt === own.placedAt);
  const hosts = [...new Set(together.map((shard) => shard.attempts.at(-1)?.allocation.host ?? ''))];
  const attempt = Math.max(...together.map((shard) => shard.attempts.length));
  return {
    MASTER_ADDR: hosts.length === 1 ? '127.0.0.1' : addressOf(hosts[0] ?? ''),
    MASTER_PORT: String(firstPort + ((group.number * portsPerTask + attempt) % ports)),
    NODE_RANK: String(hosts.indexOf(own.allocation.host)),
    RANK: String(together.indexOf(task)),
    WORLD_SIZE: String(together.length),
  };
}
