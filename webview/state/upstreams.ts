/**
 * Which siblings a dependency waits for. The server says so by their ids, but of many only the first: the others
 * are those that its text names (R10).
 */
import { globPattern, isGlob } from '../../server/model/names.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Entry } from './tasks.ts';

export type Dependency = TaskView['dependencies'][number];

/** Finds them among the children of one parent. What a text names is looked up once: the answer is the same array. */
export function upstreamFinder(children: readonly Entry[]): (dependency: Dependency) => readonly Entry[] {
  const byName = new Map<string, Entry[]>();
  const bySegment = new Map<string, Entry>();
  let start = 0;
  // Only when somebody asks: most of the largest fan-outs wait for nothing.
  const index = () => {
    const [first] = children;
    start = first?.task.parent == null ? 0 : first.task.parent.length + 1;
    for (const entry of children) {
      const bearers = byName.get(entry.task.name);
      if (bearers === undefined) byName.set(entry.task.name, [entry]);
      else bearers.push(entry);
      bySegment.set(entry.task.id.slice(start), entry);
    }
  };
  const named = (text: string): readonly Entry[] => {
    const bearers = byName.get(text);
    if (bearers !== undefined) return bearers;
    const segment = bySegment.get(text);
    if (segment !== undefined) return [segment];
    if (isGlob(text)) {
      const pattern = globPattern(text);
      const matched = children.filter(({ task }) => pattern.test(task.name));
      if (matched.length > 0) return matched;
    }
    const slash = text.indexOf('/');
    return slash > 0 ? named(text.slice(0, slash)) : [];
  };
  const known = new Map<string, readonly Entry[]>();
  return ({ name, tasks, count }) => {
    if (bySegment.size === 0) index();
    // What lies within a sibling is waited for at the border of its box, also while it is not there yet.
    if (count === tasks.length && (count > 0 || !name.includes('/'))) {
      const segments = new Set(tasks.map((id) => id.slice(start).split('/')[0] ?? ''));
      return [...segments].flatMap((segment) => bySegment.get(segment) ?? []);
    }
    let found = known.get(name);
    if (found === undefined) known.set(name, (found = named(name)));
    return found;
  };
}
