/** What a dependency's text stands for (R10, R11). */
import type { State } from './state.ts';
import type { Task, TaskNumber } from './task.ts';

export type Resolution =
  | { kind: 'bound'; upstream: TaskNumber[] }
  /** Nobody bears it yet; it is awaited among the children of `parent` under `name`. */
  | { kind: 'awaited'; parent: TaskNumber; name: string }
  | { kind: 'noMatch' };

export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/** A shell glob as a regular expression over whole names: `*`, `?`, `[…]`, `[!…]`. */
export function globPattern(glob: string): RegExp {
  let source = '';
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at] as string;
    const close = char === '[' ? glob.indexOf(']', at + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (close > 0) {
      const set = glob
        .slice(at + 1, close)
        .replace(/[\\\]]/g, '\\$&')
        .replace(/^!/, '^');
      source += `[${set}]`;
      at = close;
    } else source += char.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 's');
}

/**
 * The tasks that `text` names among the children of `parent`, or among the runs where it is null:
 * all that bear it, else the one whose segment it is, else those a glob matches, else a path `a/b`.
 */
export function resolveName(state: State, parent: TaskNumber | null, text: string): Resolution {
  const bearers = bearersOf(state, parent, text);
  if (bearers.length > 0) return { kind: 'bound', upstream: bearers };
  if (isGlob(text)) {
    const matched = globMatches(state, parent, text);
    if (matched.length > 0) return { kind: 'bound', upstream: matched };
  }
  const slash = text.indexOf('/');
  if (slash > 0 && slash < text.length - 1) {
    const within = resolveWithin(state, parent, text.slice(0, slash), text.slice(slash + 1));
    if (within !== null) return within;
  }
  if (isGlob(text) || parent === null) return { kind: 'noMatch' };
  return { kind: 'awaited', parent, name: text };
}

function resolveWithin(
  state: State,
  parent: TaskNumber | null,
  head: string,
  rest: string,
): Resolution | null {
  const first = resolveName(state, parent, head);
  if (first.kind !== 'bound') return null;
  const inner = first.upstream.map((number) => resolveName(state, number, rest));
  const found = inner.flatMap((resolution) => (resolution.kind === 'bound' ? resolution.upstream : []));
  if (found.length > 0) return { kind: 'bound', upstream: found };
  return inner[0] ?? null;
}

function bearersOf(state: State, parent: TaskNumber | null, name: string): TaskNumber[] {
  const bearers = state.scope(parent ?? 0).bearers(name);
  if (parent === null && bearers.length > 1) return presentRuns(state, bearers);
  if (bearers.length > 0) return [...bearers];
  const id = parent === null ? name : `${state.task(parent).id}/${name}`;
  const task = state.tasks.get(state.byId.get(id) ?? 0);
  return task !== undefined && isPresent(state, task) ? [task.number] : [];
}

/**
 * Runs pile up over months, and yesterday's failure must not decide over today's work: a name means
 * the runs under way that bear it, or else the latest.
 */
function presentRuns(state: State, bearers: readonly TaskNumber[]): TaskNumber[] {
  const live = bearers.filter((number) => state.live.has(number));
  return live.length > 0 ? live : bearers.slice(-1);
}

/** Whether a sibling belongs to what its parent's present attempt has submitted (R29). */
function isPresent(state: State, task: Task): boolean {
  return task.parent === null || task.generation === state.task(task.parent).attempts.length;
}

function globMatches(state: State, parent: TaskNumber | null, glob: string): TaskNumber[] {
  const pattern = globPattern(glob);
  const matched: TaskNumber[] = [];
  for (const [name, bearers] of state.scope(parent ?? 0).allNames()) {
    if (!pattern.test(name)) continue;
    matched.push(...(parent === null && bearers.length > 1 ? presentRuns(state, bearers) : bearers));
  }
  return matched.sort((a, b) => a - b);
}

/** Names among which a person may have meant another one, for hints. */
export function namesIn(state: State, parent: TaskNumber | null): string[] {
  return [...state.scope(parent ?? 0).allNames()].map(([name]) => name);
}
