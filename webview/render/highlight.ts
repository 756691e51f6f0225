/** What stands out in the picture. */
import type { Entry } from '../state/tasks.ts';

export interface Highlight {
  /** Id of the selected task, or key of the selected item. */
  readonly selected: string | null;
  /** What is looked for or filtered; the rest is dimmed. Null where everything counts. */
  readonly matches: ((entry: Entry) => boolean) | null;
}

/** How much is left of what does not match. */
export const dim = 0.25;

export function matched(entry: Entry, { matches }: Highlight): boolean {
  return matches === null || matches(entry);
}
