/** Which tasks the tree shows. */
import { globPattern, isGlob } from '../../server/model/names.ts';
import { belongsTo } from '../runs/belonging.ts';
import type { Status } from '../statuses.ts';
import type { Filter } from './taskStore.ts';

/** What a person has chosen; every part that is not empty narrows it. */
export interface Choice {
  /** A glob, or plain text within the name or the id. */
  readonly text: string;
  readonly statuses: readonly Status[];
  readonly pools: readonly string[];
  /** `KEY=VALUE`; a task must have one of them. */
  readonly labels: readonly string[];
  /** Only runs that were submitted in a folder of this window, or work with the files of one. */
  readonly workspaceOnly: boolean;
}

export const noChoice: Choice = { text: '', statuses: [], pools: [], labels: [], workspaceOnly: false };

/** The filter of a choice; null where everything is shown. `folders` are those of the workspace. */
export function filterOf(choice: Choice, folders: readonly string[]): Filter | null {
  const { text, statuses, pools, labels, workspaceOnly } = choice;
  const tests: Filter[] = [];
  // What is cheap, and leaves out most, comes first.
  if (workspaceOnly) tests.push((_entry, run) => belongsTo(folders, run));
  if (statuses.length > 0) tests.push(({ status }) => statuses.includes(status));
  if (pools.length > 0) tests.push(({ pool }) => pools.includes(pool));
  if (labels.length > 0) {
    const wanted = labels.map(keyAndValue);
    tests.push((entry) => wanted.some(([key, value]) => entry.labels[key] === value));
  }
  if (text !== '') tests.push(textTest(text));
  return tests.length === 0 ? null : (entry, run) => tests.every((test) => test(entry, run));
}

function textTest(text: string): Filter {
  if (isGlob(text)) {
    const pattern = globPattern(text);
    return ({ name, id }) => pattern.test(name) || pattern.test(id);
  }
  const plain = text.toLowerCase();
  return ({ name, id }) => name.toLowerCase().includes(plain) || id.toLowerCase().includes(plain);
}

function keyAndValue(label: string): [string, string] {
  const at = label.indexOf('=');
  return [label.slice(0, at), label.slice(at + 1)];
}
