/** The names by which a person's ssh configuration knows hosts: what stands after `Host`. */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';

/** Files that include each other are read no deeper than ssh reads them. */
const deepest = 16;

export interface SshNames {
  /** Names without wildcards, in the order of the files. */
  names: string[];
  /** Whether `name` is one of them, or matches a pattern other than `*`. */
  has(name: string): boolean;
}

/** The usual file, in which ssh looks unless it is told otherwise. */
export function usualSshConfig(): string {
  return join(homedir(), '.ssh', 'config');
}

/** Reads a configuration, with what it includes. What cannot be read holds nothing. */
export function readSshNames(file: string): SshNames {
  const patterns = [...new Set(patternsIn(file, 0))].filter((pattern) => !pattern.startsWith('!'));
  const isPlain = (pattern: string) => !/[*?]/.test(pattern);
  const telling = patterns.filter((pattern) => !/^\*+$/.test(pattern)).map(toRegExp);
  return {
    names: patterns.filter(isPlain),
    has: (name) => telling.some((pattern) => pattern.test(name)),
  };
}

function patternsIn(file: string, depth: number): string[] {
  if (depth > deepest) return [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const [, keyword = '', rest = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const words = [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    switch (keyword.toLowerCase()) {
      case 'host':
        return words;
      case 'include':
        return words.flatMap(included).flatMap((each) => patternsIn(each, depth + 1));
      default:
        return [];
    }
  });
}

/** Files that an Include names; only its last part may have wildcards here. */
function included(pattern: string): string[] {
  const home = pattern.replace(/^~(?=\/)/, homedir());
  const path = isAbsolute(home) ? home : join(homedir(), '.ssh', home);
  if (!/[*?]/.test(path)) return [path];
  const isWanted = toRegExp(basename(path));
  try {
    const names = readdirSync(dirname(path)).filter((name) => isWanted.test(name) && !name.startsWith('.'));
    return names.sort().map((name) => join(dirname(path), name));
  } catch {
    return [];
  }
}

function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
