/**
 * Which siblings a dependency names (R10). The server says how far a dependency is, not whom it found: tasks
 * bear their names as long as they live, so the page finds the same.
 */
import { globPattern, isGlob } from '../../server/model/names.ts';
import type { TaskView } from '../../server/protocol/tasks.ts';
import type { Entry } from './tasks.ts';

export type Dependency = TaskView['dependencies'][number];

/** Finds what a text names among the children of one parent. Each text is looked up once. */
export function upstreamFinder(children: readonly Entry[]): (text: string) => readonly Entry[] {
  const byName = new Map<string, Entry[]>();
  const bySegment = new Map<string, Entry>();
  // Only when somebody asks: most of the largest fan-outs wait for nothing.
  const index = () => {
    for (const entry of children) {
      const { id, name } = entry.task;
      const bearers = byName.get(name);
      if (bearers === undefined) byName.set(name, [entry]);
      else bearers.push(entry);
      bySegment.set(id.slice(id.lastIndexOf('/') + 1), entry);
    }
  };
  const known = new Map<string, readonly Entry[]>();
  const find = (text: string): readonly Entry[] => {
    const bearers = byName.get(text);
    if (bearers !== undefined) return bearers;
    const segment = bySegment.get(text);
    if (segment !== undefined) return [segment];
    if (isGlob(text)) {
      const pattern = globPattern(text);
      const matched = children.filter(({ task }) => pattern.test(task.name));
      if (matched.length > 0) return matched;
    }
    // What a path names lies within one of these; the edge ends at the border of their box.
    const slash = text.indexOf('/');
    return slash > 0 ? find(text.slice(0, slash)) : [];
  };
  return (text) => {
    if (byName.size === 0) index();
    let found = known.get(text);
    if (found === undefined) known.set(text, (found = find(text)));
    return found;
  };
}
