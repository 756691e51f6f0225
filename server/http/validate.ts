/** Checks what came in against its schema, and says what is wrong with it in one sentence. */
import { z } from 'zod';
import { VbatchError } from '../protocol/errors.ts';
import { nearest } from '../protocol/nearest.ts';

const longestShown = 60;

/**
 * The checked value. `place` names where it came from, such as `the request body`. Throws `invalid`
 * naming the path, the offending value and the nearest valid key or word.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // An unknown key often explains why another one is missing.
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) throw new Error('zod refused a value and named no issue');
  const text = describe(issue, schema, value);
  throw new VbatchError('invalid', `In ${place}, ${text}${text.endsWith('?') ? '' : '.'}`);
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, root: unknown): string {
  const path = pathText(issue.path);
  const value = valueAt(root, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownKey(issue, schema);
    case 'invalid_key':
      return wrongKey(issue);
    case 'invalid_value': {
      const words = issue.values.map(String);
      const near = typeof value === 'string' ? nearest(value, words) : null;
      const choice = near === null ? `expected one of ${words.join(', ')}` : `did you mean "${near}"?`;
      return value === undefined ? `${path} is missing` : `${path} is ${shown(value)}; ${choice}`;
    }
    case 'custom':
      return `${path} (${shown(value)}) ${issue.message}`;
    default:
      if (value === undefined) return `${path} is missing`;
      return `${path} is ${shown(value)}; ${withoutHeading(issue.message)}`;
  }
}

function unknownKey(issue: z.core.$ZodIssueUnrecognizedKeys, schema: z.ZodType): string {
  const key = issue.keys[0] ?? '';
  const known = keysAt(schema, issue.path);
  const near = nearest(key, known);
  const place = issue.path.length === 0 ? '' : ` in ${pathText(issue.path)}`;
  const hint = near === null ? `the keys are ${known.join(', ')}` : `did you mean "${near}"?`;
  return `${shown(key)} is unknown${place}${known.length === 0 ? '' : `; ${hint}`}`;
}

function wrongKey({ path, issues: [cause] }: z.core.$ZodIssueInvalidKey): string {
  const key = `the key ${shown(path.at(-1))} of ${pathText(path.slice(0, -1))}`;
  if (cause?.code === 'custom') return `${key} ${cause.message}`;
  return `${key} is wrong; ${withoutHeading(cause?.message ?? '')}`;
}

/** What follows the colon in zod's `Invalid input: expected string, received number`. */
function withoutHeading(message: string): string {
  return message.replace(/^(Invalid|Too)[^:]*: /, '').replace(/^Invalid /, 'expected an ');
}

/** `tasks[0].command`. */
function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the value';
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** The value as JSON, cut to a length that fits into a sentence. */
function shown(value: unknown): string {
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, longestShown + 1) : value);
  return text.length <= longestShown + 2 ? text : `${text.slice(0, longestShown)}…`;
}

/** The keys that the object at `path` may have; empty where that is not an object with fixed keys. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let inner: unknown = schema;
  for (const part of [...path, null]) {
    while (
      inner instanceof z.ZodDefault ||
      inner instanceof z.ZodOptional ||
      inner instanceof z.ZodNullable
    ) {
      inner = inner.unwrap();
    }
    if (part === null) break;
    if (inner instanceof z.ZodArray) inner = inner.element;
    else if (inner instanceof z.ZodObject) inner = inner.shape[String(part)];
    else if (inner instanceof z.ZodRecord) inner = inner.valueType;
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}
