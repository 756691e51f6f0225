/** What a submitter's environment says beyond the login environment it started from (R34). */
import type { EnvironmentChange } from './task.ts';

/**
 * What the shell keeps for itself, and what vbatch sets anew for each task. The last one is how the programs run on
 * an editor's own Node; an editor that a task starts must not take itself for one.
 */
const ownVariables = new Set(['_', 'SHLVL', 'PWD', 'OLDPWD', 'ELECTRON_RUN_AS_NODE']);
const ownPrefix = /^(VBATCH|VELDA)_/;

/**
 * The change that leads from the environment `login` to `current`. Variables that describe the
 * shell or the submitting task itself are left out: the new task gets its own.
 */
export function environmentChange(
  login: ReadonlyMap<string, string>,
  current: Readonly<Record<string, string>>,
): EnvironmentChange {
  const set: Record<string, string> = {};
  for (const [name, value] of Object.entries(current)) {
    if (crosses(name) && login.get(name) !== value) set[name] = value;
  }
  const unset = [...login.keys()].filter((name) => crosses(name) && !Object.hasOwn(current, name));
  return { set, unset };
}

function crosses(name: string): boolean {
  return !ownVariables.has(name) && !ownPrefix.test(name);
}
