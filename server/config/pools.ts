/**
 * Which pools there are: those of the configuration, and those that exist by themselves wherever a
 * host is big enough (R25). Pure: what the hosts have is passed in.
 */
import type { Shape } from '../model/task.ts';
import { VbatchError } from '../protocol/errors.ts';
import { nearest } from '../protocol/nearest.ts';
import { builtIn, type Configuration, type HostSettings, localHost, type Pool } from './configuration.ts';

/** What a host has for tasks. */
export interface HostCapacity extends Shape {
  /** Indexes of its GPUs in the order in which to grant them. */
  gpuIndexes: readonly number[];
  /** The name of each, in the same order; empty where it is not known. */
  gpuNames: readonly string[];
}

/** By name of the host. Hosts that were never reached, and are not described either, are missing. */
export type Capacities = ReadonlyMap<string, HostCapacity>;

/** What the name of a pool that exists by itself asks for. `model`: part of a GPU's name, or null for any. */
interface Wanted {
  shape: Shape;
  model: string | null;
}

/**
 * What a host has for tasks: what its settings say, else what was detected. Null while part of it is
 * unknown: a host is not too small before it was ever asked.
 */
export function hostCapacity(settings: HostSettings, detected: HostCapacity | null): HostCapacity | null {
  const { cpus, memory, gpus } = { ...detected, ...settings.shape };
  if (cpus === undefined || memory === undefined || gpus === undefined) return null;
  const names = detected?.gpuNames ?? [];
  const gpuIndexes = usableGpus(settings, names.length);
  return { cpus, memory, gpus, gpuIndexes, gpuNames: gpuIndexes.map((index) => names[index] ?? '') };
}

/**
 * Indexes of a host's GPUs that tasks may use, in the order in which to grant them. `found`: how many were
 * detected; where the settings say more, they are believed.
 */
export function usableGpus({ gpuOrder, shape }: HostSettings, found: number): number[] {
  const all = Array.from({ length: Math.max(found, shape.gpus ?? 0) }, (_, index) => index);
  if (gpuOrder === 'reverse') return all.reverse().slice(0, shape.gpus);
  const first = gpuOrder.filter((index) => index < all.length);
  return [...new Set([...first, ...all])].slice(0, shape.gpus);
}

/** Whether a name has the form of a pool that exists by itself: `cpu-8`, `gpu-2`, `gpu-a100`. */
export function isPoolByItself(name: string): boolean {
  return wantedBy(name) !== null;
}

/**
 * The pool that a name means, with sentences for the submitter. Throws `refused` where there is no
 * such pool (R25).
 */
export function resolvePool(
  configuration: Configuration,
  capacities: Capacities,
  name: string,
): { pool: Pool; notes: string[] } {
  const pool = findPool(configuration, capacities, name);
  if (pool === null) throw noSuchPool(configuration, capacities, name);
  return { pool, notes: pool.standIn === null ? [] : [pool.standIn.note] };
}

/**
 * The pool of a stored task, or null where it is gone: no file defines it any more, or no host is
 * big enough. `configuration` is that of the task's workspace.
 */
export function poolByKey(configuration: Configuration, capacities: Capacities, key: string): Pool | null {
  const [name = ''] = key.split('@', 1);
  for (let layer: Configuration | null = configuration; layer !== null; layer = layer.base) {
    const pool = findPool(layer, capacities, name);
    if (pool?.key === key) return pool;
  }
  return null;
}

/**
 * All configured pools, and of those that exist by themselves a choice that shows how far they go:
 * powers of two and the largest host's exact size for CPUs, every number of GPUs.
 */
export function listPools(configuration: Configuration, capacities: Capacities): Pool[] {
  const known = [...configuration.hosts.keys()].flatMap((host) => capacities.get(host) ?? []);
  const cpus = Math.floor(Math.max(0, ...known.map((capacity) => capacity.cpus)));
  const gpus = Math.max(0, ...known.map((capacity) => capacity.gpus));
  const powers = Array.from({ length: 32 }, (_, i) => 2 ** i).filter((power) => power < cpus);
  const names = [
    ...configuration.pools.keys(),
    ...(cpus > 0 ? [...powers, cpus].map((count) => `cpu-${count}`) : []),
    ...Array.from({ length: gpus }, (_, i) => `gpu-${i + 1}`),
  ];
  return [...new Set(names)].flatMap((name) => findPool(configuration, capacities, name) ?? []);
}

function findPool(configuration: Configuration, capacities: Capacities, name: string): Pool | null {
  const configured = configuration.pools.get(name);
  if (configured !== undefined) return configured;
  const wanted = wantedBy(name);
  if (wanted === null) return null;
  if (configuration.hosts.size === 1) return standIn(name, wanted, capacities.get(localHost));
  const hosts = [...configuration.hosts.keys()].filter((host) => mayHold(capacities.get(host), wanted));
  if (hosts.length === 0) return null;
  // A workspace that brings its own hosts has its own pools on them.
  const isShared = configuration.base === null || configuration.base.hosts === configuration.hosts;
  const key = isShared ? name : `${name}@${configuration.workspace}`;
  return { ...poolByItself(name, key, hosts, wanted.shape), ...onlyOfModel(wanted.model, hosts, capacities) };
}

function wantedBy(name: string): Wanted | null {
  const none: Shape = { cpus: 0, memory: 0, gpus: 0 };
  const [, kind, count] = /^(cpu|gpu)-([1-9]\d{0,5})$/.exec(name) ?? [];
  if (kind === 'cpu') return { shape: { ...none, cpus: Number(count) }, model: null };
  if (kind === 'gpu') return { shape: { ...none, gpus: Number(count) }, model: null };
  const [, model] = /^gpu-([A-Za-z][A-Za-z0-9._-]*)$/.exec(name) ?? [];
  return model === undefined ? null : { shape: { ...none, gpus: 1 }, model };
}

/** A host of which nothing is known yet may turn out to be big enough: its tasks wait for it. */
function mayHold(capacity: HostCapacity | undefined, { shape, model }: Wanted): boolean {
  if (capacity === undefined) return true;
  return shape.cpus <= capacity.cpus && shape.gpus <= gpusOfModel(capacity, model).length;
}

/** Indexes of a host's GPUs that are of a model. */
function gpusOfModel({ gpuIndexes, gpuNames }: HostCapacity, model: string | null): readonly number[] {
  if (model === null) return gpuIndexes;
  const pattern = modelPattern(model);
  return gpuIndexes.filter((_, at) => pattern.test(gpuNames[at] ?? ''));
}

/** Which GPUs a pool for a model may grant. A host of which nothing is known yet is missing. */
function onlyOfModel(
  model: string | null,
  hosts: readonly string[],
  capacities: Capacities,
): Pick<Pool, 'gpusOn'> {
  if (model === null) return {};
  const known = hosts.flatMap((host) => {
    const capacity = capacities.get(host);
    return capacity === undefined ? [] : [[host, gpusOfModel(capacity, model)] as const];
  });
  return { gpusOn: new Map(known) };
}

/**
 * `rtx-4090` finds `GeForce RTX 4090`, whatever stands between its letters and digits, and `a10` does
 * not find `A100`.
 */
function modelPattern(model: string): RegExp {
  const characters = model.match(/[a-z0-9]/gi) ?? [];
  return new RegExp(`${characters.join('[^a-z0-9]*')}(?!\\d)`, 'i');
}

/**
 * Where no other host is configured, this machine stands in for every pool of this kind, so that a
 * pipeline written for a cluster can be rehearsed on a laptop.
 */
function standIn(name: string, wanted: Wanted, capacity: HostCapacity | undefined): Pool {
  const pool = poolByItself(name, name, [localHost], wanted.shape);
  const note = capacity === undefined ? null : standInNote(name, wanted, capacity);
  if (capacity === undefined) return pool;
  if (note === null)
    return { ...pool, ...onlyOfModel(wanted.model, [localHost], new Map([[localHost, capacity]])) };
  const gpus = Math.min(wanted.shape.gpus, capacity.gpus);
  // What a GPU would have done is done by a CPU: a fan-out must not start all at once for want of a claim.
  const cpus = wanted.shape.gpus > 0 && gpus === 0 ? 1 : wanted.shape.cpus;
  const shape = { cpus: Math.min(cpus, capacity.cpus), memory: 0, gpus };
  return { ...pool, shape, standIn: { wanted: wanted.shape, note } };
}

/** What this machine lacks of what is wanted, or null where it lacks nothing. */
function standInNote(name: string, { shape, model }: Wanted, capacity: HostCapacity): string | null {
  if (shape.cpus > capacity.cpus) return shortageNote(name, capacity.cpus, 'CPU');
  if (shape.gpus > capacity.gpus) return shortageNote(name, capacity.gpus, 'GPU');
  if (model === null || gpusOfModel(capacity, model).length > 0) return null;
  const names = [...new Set(capacity.gpuNames)].filter(Boolean).join(' and ') || 'of unknown model';
  return `the GPU of this machine is ${names}: pool ${name} uses it here`;
}

function shortageNote(name: string, count: number, noun: string): string {
  if (count === 0) return `this machine has no ${noun}: pool ${name} runs without one here`;
  const use = count === 1 ? 'it' : 'all of them';
  return `this machine has ${amount(count, noun)}: pool ${name} uses ${use} here`;
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function poolByItself(name: string, key: string, hosts: readonly string[], shape: Shape): Pool {
  return { key, name, hosts, shape, slots: null, environment: {}, setup: '', source: builtIn, standIn: null };
}

function noSuchPool(configuration: Configuration, capacities: Capacities, name: string): VbatchError {
  const names = listPools(configuration, capacities).map((pool) => pool.name);
  const wanted = wantedBy(name);
  const meant = wanted === null ? nearest(name, names) : null;
  const reason = wanted === null ? '' : `: no host has ${lack(wanted)}`;
  const hint = meant === null ? '' : ` (did you mean "${meant}"?)`;
  const message = `there is no pool ${JSON.stringify(name)}${reason}; pools: ${names.join(', ')}${hint}`;
  return new VbatchError('refused', message);
}

function lack({ shape, model }: Wanted): string {
  if (model !== null) return `GPUs of model ${model}`;
  return shape.cpus > 0 ? amount(shape.cpus, 'CPU') : amount(shape.gpus, 'GPU');
}
