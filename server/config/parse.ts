/** From the text of a configuration file to its checked contents. */
import type { z } from 'zod';
import { type Configuration, localHost } from './configuration.ts';
import { readYaml } from './document.ts';
import { isPoolByItself } from './pools.ts';
import { type Path, pathText, problemsError, quoted, suggestion, valueText } from './problems.ts';
import { defaultsSchema, type FileContents, fileSchema, hostSchema, poolSchema } from './schema.ts';

/** A problem whose place is still a key path. */
interface Mistake {
  path: Path;
  part: 'key' | 'value';
  text: string;
}

/**
 * Contents of a configuration file that lies on top of `below`, whose hosts and pools it may name.
 * Throws `configuration` with a line for each mistake.
 */
export function parseConfiguration(text: string, file: string, below: Configuration): FileContents {
  const yaml = readYaml(text);
  if (yaml.problems.length > 0) throw problemsError(file, text, yaml.problems);
  const checked = fileSchema.safeParse(yaml.value ?? {});
  const mistakes = checked.success
    ? referenceMistakes(checked.data, below)
    : checked.error.issues.flatMap((issue) => issueMistakes(issue, yaml.value));
  if (checked.success && mistakes.length === 0) return checked.data;
  const problems = mistakes.map(({ path, part, text }) => ({ offset: yaml.offsetOf(path, part), text }));
  throw problemsError(file, text, problems);
}

/** What is wrong with contents that stand in no file yet: clauses without a place. */
export function mistakesIn(contents: unknown): string[] {
  const { error } = fileSchema.safeParse(contents);
  return (error?.issues ?? []).flatMap((issue) => issueMistakes(issue, contents)).map(({ text }) => text);
}

function issueMistakes(issue: z.core.$ZodIssue, value: unknown): Mistake[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'invalid_key') {
    return [{ path, part: 'key', text: `${pathText(path)} is not ${issue.issues[0]?.message}` }];
  }
  const what = path.length === 0 ? 'the file' : pathText(path);
  const found = valueText(valueAt(value, path));
  return [{ path, part: 'value', text: `${what} is ${found}; it must be ${issue.message}` }];
}

function unknownKey(parent: Path, key: string): Mistake {
  const path = [...parent, key];
  const { noun, keys } = mappingAt(parent);
  return { path, part: 'key', text: `${pathText(path)} is not a key of ${noun}; ${suggestion(key, keys)}` };
}

/** What stands at a path that leads to a mapping with fixed keys. */
function mappingAt([section]: Path): { noun: string; keys: string[] } {
  if (section === 'hosts') return { noun: 'a host', keys: Object.keys(hostSchema.shape) };
  if (section === 'pools') return { noun: 'a pool', keys: Object.keys(poolSchema.shape) };
  if (section === 'defaults') return { noun: 'defaults', keys: Object.keys(defaultsSchema.shape) };
  return { noun: 'a configuration', keys: Object.keys(fileSchema.shape) };
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((whole, part) => (whole as Record<PropertyKey, unknown>)[part], value);
}

/** Names of hosts and pools that do not exist, which only the file together with those below it can tell. */
function referenceMistakes(contents: FileContents, below: Configuration): Mistake[] {
  const hosts = [...new Set([...below.hosts.keys(), ...Object.keys(contents.hosts ?? {})])];
  const pools = [...new Set([...below.pools.keys(), ...Object.keys(contents.pools ?? {})])];
  const mistakes = Object.entries(contents.pools ?? {}).flatMap(([pool, entry]) =>
    hostListMistakes(['pools', pool, 'hosts'], entry?.hosts ?? [], hosts),
  );
  for (const key of ['ssh', 'transport', 'folder'] as const) {
    if (contents.hosts?.[localHost]?.[key] === undefined) continue;
    const path = ['hosts', localHost, key];
    const text = `${pathText(path)} cannot be set; ${localHost} is this machine`;
    mistakes.push({ path, part: 'key', text });
  }
  const pool = contents.defaults?.pool;
  if (pool !== undefined && !pools.includes(pool) && !isPoolByItself(pool)) {
    const path = ['defaults', 'pool'];
    const text = `${pathText(path)} is ${quoted(pool)}, which is no pool; ${suggestion(pool, pools)}`;
    mistakes.push({ path, part: 'value', text });
  }
  return mistakes;
}

function hostListMistakes(list: Path, names: readonly string[], hosts: readonly string[]): Mistake[] {
  return names.flatMap((name, i) => {
    const path = [...list, i];
    const part = 'value';
    if (names.indexOf(name) < i) {
      return [{ path, part, text: `${pathText(path)} names ${quoted(name)} a second time` }];
    }
    if (hosts.includes(name)) return [];
    const text = `${pathText(path)} is ${quoted(name)}, which is not among the hosts; ${suggestion(name, hosts)}`;
    return [{ path, part, text }];
  });
}
