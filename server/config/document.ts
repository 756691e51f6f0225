/** YAML as written: its plain value, where each part of it stands, and what is wrong with it as YAML. */
import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { type Path, type Problem, pathText } from './problems.ts';

/** Deepest nesting that is read. A configuration needs five. */
const deepest = 100;
/** Most uses of one alias (the value that the `yaml` package documents as safe). */
const mostAliases = 100;

export interface YamlText {
  /** Plain objects, lists and scalars; null for an empty file. Means nothing where there are problems. */
  value: unknown;
  problems: Problem[];
  /** Where a value, or the key that it stands under, begins; the innermost part that exists, else. */
  offsetOf(path: Path, part: 'key' | 'value'): number;
}

/** Reads YAML 1.2. Never throws: what cannot be read is among the problems. */
export function readYaml(text: string): YamlText {
  if (isTooDeep(text)) {
    const problem = { offset: 0, text: `is nested more than ${deepest} levels deep` };
    return { value: null, problems: [problem], offsetOf: () => 0 };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
  });
  const problems = [
    ...[...document.errors, ...document.warnings].map(syntaxProblem),
    ...strayAliases(document),
    ...repeatedKeys(document, lineCounter),
  ];
  keepSpellingOfVariables(document);
  let value: unknown = null;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: mostAliases });
    } catch {
      problems.push({ offset: 0, text: `uses one alias (*name) more than ${mostAliases} times` });
    }
  }
  const find = pairFinder();
  return { value, problems, offsetOf: (path, part) => offsetOf(document, find, path, part) };
}

/**
 * The composer calls itself for every level, and a regular expression that V8 first compiles on an
 * exhausted stack ends the whole process. The parser keeps a stack of its own, so it is asked first.
 */
function isTooDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // The tokens are of no interest, but the parser works only while they are taken.
    Array.from(parser.next(lexeme));
    if (parser.stack.length > deepest) return true;
  }
  return false;
}

/** What the `yaml` package's own words would leave a person guessing about. */
const plainWords: Partial<Record<ErrorCode, string>> = {
  TAB_AS_INDENT: 'a tab is used for indentation; use spaces',
  MULTIPLE_DOCS: 'a second YAML document begins here; a configuration is one document',
  NON_STRING_KEY: 'a key must be a plain name',
};

function syntaxProblem({ pos, code, message }: YAMLError): Problem {
  return { offset: pos[0], text: plainWords[code] ?? `not valid YAML: ${message}` };
}

/** Aliases of what is not defined before them. */
export function strayAliases(document: Document.Parsed): Problem[] {
  const problems: Problem[] = [];
  const anchors = new Set<string>();
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
      } else if (!anchors.has(node.source)) {
        const text = `the alias *${node.source} has no anchor &${node.source} before it`;
        problems.push({ offset: startOf(node) ?? 0, text });
      }
    },
  });
  return problems;
}

function repeatedKeys(document: Document.Parsed, lineCounter: LineCounter): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const first = new Map<string, number>();
      for (const pair of map.items) {
        const key = keyOf(pair);
        const offset = startOf(pair.key) ?? 0;
        const earlier = first.get(key);
        if (earlier === undefined) {
          first.set(key, offset);
          continue;
        }
        const path = pathText([...keysOf(ancestors), key]);
        const { line } = lineCounter.linePos(earlier);
        problems.push({ offset, text: `${path} is written twice, first on line ${line}` });
      }
    },
  });
  return problems;
}

/**
 * Numbers and booleans of an `env` mapping become text as they were written, so that a version 1.10
 * does not reach the task as 1.1.
 */
function keepSpellingOfVariables(document: Document.Parsed): void {
  visit(document, {
    Scalar(_, node, ancestors) {
      const [section, , key, ...rest] = keysOf(ancestors);
      const isVariable = (section === 'hosts' || section === 'pools') && key === 'env' && rest.length === 1;
      const isPlain = typeof node.value === 'number' || typeof node.value === 'boolean';
      if (isVariable && isPlain && node.source !== undefined) node.value = node.source;
    },
  });
}

function keysOf(ancestors: readonly unknown[]): string[] {
  return ancestors.filter((ancestor) => isPair(ancestor)).map(keyOf);
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

type FindPair = (map: YAMLMap, key: PropertyKey) => Pair | undefined;

/** Finds pairs by their keys, fast also for the thousandth mistake in one large mapping. */
function pairFinder(): FindPair {
  const indexes = new Map<YAMLMap, Map<PropertyKey, Pair>>();
  return (map, key) => {
    const index = indexes.get(map) ?? new Map(map.items.map((pair) => [keyOf(pair), pair]));
    indexes.set(map, index);
    return index.get(key);
  };
}

function offsetOf(document: Document.Parsed, find: FindPair, path: Path, part: 'key' | 'value'): number {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const whole: unknown = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(whole) ? find(whole, step) : undefined;
    const next: unknown = isSeq(whole) && typeof step === 'number' ? whole.items[step] : pair?.value;
    const isLast = depth === path.length - 1;
    const place = startOf(pair !== undefined && isLast && part === 'key' ? pair.key : next);
    if (place === null || !isNode(next)) return place ?? offset;
    offset = place;
    node = next;
  }
  return offset;
}
