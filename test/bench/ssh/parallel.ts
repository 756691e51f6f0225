/** GNU parallel, with its jobs on other machines. */
import type { Machine } from '../bench.ts';
import { output } from '../programs.ts';
import { timed } from '../rounds.ts';
import type { Target } from './sshd.ts';

export interface ParallelOptions {
  hosts: readonly Target[];
  /** The configuration of the `ssh` that it runs. */
  config: string;
  /** Jobs at once on each host; by default as many as it has CPUs. */
  width?: number;
  count: number;
}

/** Milliseconds for each of `count` jobs, by their number. */
export async function parallelTime(
  command: readonly string[],
  { hosts, config, width, count }: ParallelOptions,
  { cwd, env }: Machine,
): Promise<number> {
  const at = hosts.map(({ name }) => `-S ${name}`).join(' ');
  const jobs = width === undefined ? '' : `-j ${width}`;
  const line = `seq ${count} | parallel -N 0 ${at} ${jobs} --ssh 'ssh -F ${config}' ${command.join(' ')}`;
  return (await timed(() => output('sh', ['-c', line], { cwd, env }))) / count;
}
