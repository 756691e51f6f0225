/** What a host is told to start: a task's surroundings put together (R20, R24, R34). */
import { type HostSettings, localHost, type Pool } from '../config/configuration.ts';
import { quote } from '../hosts/agent/orders.ts';
import type { StartOrder } from '../hosts/host.ts';
import { acrossMachines } from '../model/machine.ts';
import type { State } from '../model/state.ts';
import type { EnvironmentChange, Task } from '../model/task.ts';
import { gangVariables } from './gangs.ts';
import { attemptKey } from './logs.ts';
import type { Place } from './trees/trees.ts';
import { poolName } from './views.ts';

/** How many GPUs the host has and how many CPUs, for what a task may not see and what it should use. */
export interface HostSize {
  cpus: number;
  gpus: number;
}

/** The order that starts the latest attempt of a task in this place. `addressOf`: see gangVariables. */
export function startOrder(
  state: State,
  task: Task,
  pool: Pool | undefined,
  host: HostSettings | undefined,
  size: HostSize,
  addressOf: (host: string) => string,
  place: Place,
): StartOrder {
  return {
    key: attemptKey(task.number, task.attempts.length),
    command: task.spec.command,
    stdin: task.spec.terminal ?? (task.spec.stdin === 'open' ? 'open' : 'empty'),
    directory: place.directory,
    setup: [...setupLines(host), ...setupLines(pool)].join('\n'),
    environment: givenTo(state, task),
    variables: {
      ...(task.spec.terminal && { TERM: task.spec.terminal.term }),
      ...gangVariables(state, task, addressOf),
      ...task.spec.variables,
      ...ownVariables(state, task, size),
      ...(place.workspace !== null && { VBATCH_WORKSPACE: place.workspace }),
    },
  };
}

function setupLines(source: { environment: Record<string, string>; setup: string } | undefined): string[] {
  if (source === undefined) return [];
  const exports = Object.entries(source.environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  return source.setup === '' ? exports : [...exports, source.setup];
}

function ownVariables(state: State, task: Task, size: HostSize): Record<string, string> {
  const attempt = task.attempts.at(-1);
  const allocation = attempt?.allocation ?? { host: '', cpus: 0, memory: 0, gpus: [] };
  return {
    VBATCH_TASK_ID: task.id,
    VBATCH_TASK_NAME: task.spec.name,
    VBATCH_RUN_ID: state.task(task.run).id,
    VBATCH_ATTEMPT: String(task.attempts.length),
    VBATCH_POOL: poolName(task.spec.pool),
    VBATCH_HOST: allocation.host,
    VBATCH_CPUS: String(allocation.cpus > 0 ? allocation.cpus : size.cpus),
    ...gpuVariables(allocation.gpus, size.gpus),
    ...shardVariables(state, task),
  };
}

/** A task sees its own GPUs only; one that holds none sees none (R24). Hosts without GPUs are left alone. */
function gpuVariables(gpus: readonly number[], onHost: number): Record<string, string> {
  if (onHost === 0 && gpus.length === 0) return {};
  const list = gpus.join(',');
  return {
    CUDA_VISIBLE_DEVICES: list,
    HIP_VISIBLE_DEVICES: list,
    ROCR_VISIBLE_DEVICES: list,
    // For NVIDIA's container toolkit an empty list would mean "as if it were not set".
    NVIDIA_VISIBLE_DEVICES: list === '' ? 'void' : list,
  };
}

function shardVariables(state: State, task: Task): Record<string, string> {
  if (task.shard === null || task.parent === null) return {};
  const total = String(state.task(task.parent).spec.shards?.total ?? 0);
  const index = String(task.shard);
  return {
    VBATCH_SHARD_ID: index,
    VBATCH_TOTAL_SHARDS: total,
    VELDA_SHARD_ID: index,
    VELDA_TOTAL_SHARDS: total,
  };
}

/** What a task gets of its submitter's changes on the host of its latest attempt (R34). */
function givenTo(state: State, task: Task): EnvironmentChange {
  const change = state.environments.get(task.spec.environment) ?? { set: {}, unset: [] };
  const host = task.attempts.at(-1)?.allocation.host ?? localHost;
  return host === submitterHost(state, task) ? change : acrossMachines(change);
}

/** Where the command ran that submitted a task: a terminal is on this machine. */
function submitterHost(state: State, task: Task): string {
  for (let up = task.parent; up !== null; up = state.task(up).parent) {
    const attempt = state.task(up).attempts.at(-1);
    if (attempt !== undefined) return attempt.allocation.host;
  }
  return localHost;
}

/** What a child inherits: all that its parent was given, then what the parent has changed itself (R34). */
export function inherited(state: State, parent: Task, change: EnvironmentChange): EnvironmentChange {
  const given = givenTo(state, parent);
  const set = { ...given.set, ...parent.spec.variables, ...change.set };
  for (const name of change.unset) delete set[name];
  const unset = new Set([...given.unset, ...change.unset]);
  for (const name of Object.keys(set)) unset.delete(name);
  return { set, unset: [...unset].sort() };
}
