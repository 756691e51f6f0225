/** Turns a query string into the values that its schema speaks of. */
import { z } from 'zod';
import { VbatchError } from '../protocol/errors.ts';
import { validate } from './validate.ts';

/**
 * The checked query. A field that is a list takes repeated keys, and commas too where its items are
 * words of a fixed set; any other field may stand once. Throws `invalid`.
 */
export function parseQuery<Schema extends z.ZodObject>(
  schema: Schema,
  parameters: URLSearchParams,
): z.output<Schema> {
  const names = [...new Set(parameters.keys())];
  const values = names.map((name) => [name, decode(name, parameters.getAll(name), schema.shape[name])]);
  return validate(schema, Object.fromEntries(values), 'the query');
}

function decode(name: string, texts: string[], field: z.core.$ZodType | undefined): unknown {
  let inner = field;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) inner = inner.unwrap();
  if (inner instanceof z.ZodArray) {
    return inner.element instanceof z.ZodEnum ? texts.flatMap((text) => text.split(',')) : texts;
  }
  const [text = '', ...more] = texts;
  if (more.length > 0) throw new VbatchError('invalid', `In the query, ${name} is given more than once.`);
  if (inner instanceof z.ZodNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (inner instanceof z.ZodBoolean && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
