import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { builtInConfiguration } from '../../../server/config/configuration.ts';
import { configurationJsonSchema } from '../../../server/config/jsonSchema.ts';
import { parseConfiguration } from '../../../server/config/parse.ts';

const docs = new URL('../../../docs/', import.meta.url);

/** The parts of a JSON schema that this test looks into. */
interface Schema {
  description?: string;
  examples?: unknown[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | false;
  anyOf?: Schema[];
}

const schema = JSON.parse(configurationJsonSchema()) as Schema;
const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
const accepts = (text: string) => validator.safeParse(parse(text)).success;

async function example(): Promise<string> {
  const page = await readFile(new URL('configuration.md', docs), 'utf8');
  const [, text] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  if (text === undefined) throw new Error('docs/configuration.md has no example');
  return text;
}

/** Every key that the schema knows, by its path, with its schema. */
function keysOf(node: Schema, path: string): [string, Schema][] {
  const named = Object.entries(node.properties ?? {}).flatMap(([key, inner]): [string, Schema][] => [
    [`${path}${key}`, inner],
    ...keysOf(inner, `${path}${key}.`),
  ]);
  const others = node.additionalProperties ? keysOf(node.additionalProperties, `${path}*.`) : [];
  return [...named, ...others, ...(node.anyOf ?? []).flatMap((inner) => keysOf(inner, path))];
}

describe('docs/config.schema.json', () => {
  it('is what the build makes of the schema', async () => {
    await expect(configurationJsonSchema()).toMatchFileSnapshot(
      fileURLToPath(new URL('config.schema.json', docs)),
    );
  });

  it('describes every key, with an example that is right', () => {
    const keys = keysOf(schema, '');
    expect(keys.map(([path]) => path)).toContain('pools.*.slots');
    for (const [path, { description, examples = [], ...node }] of keys) {
      expect(description, path).toMatch(/^[A-Z].*\.$/);
      expect(examples, path).not.toEqual([]);
      const inner = z.fromJSONSchema(node as Parameters<typeof z.fromJSONSchema>[0]);
      for (const value of examples) expect(inner.safeParse(value).success, path).toBe(true);
    }
  });

  it('accepts the documented example, which uses every key', async () => {
    const text = await example();
    expect(accepts(text)).toBe(true);
    expect(() => parseConfiguration(text, 'configuration.md', builtInConfiguration)).not.toThrow();
    for (const [path] of keysOf(schema, ''))
      expect(text).toMatch(new RegExp(`\\b${path.split('.').at(-1)}:`));
  });

  it.each(['pools', 'slots', 'hosts', 'env', 'grace', 'ssh_config'])('refuses a typo in %s', async (key) => {
    const text = (await example()).replace(`${key}:`, `${key}x:`);
    expect(accepts(text)).toBe(false);
  });

  it.each([
    'cpus: many',
    'memory: 32Q',
    'gpus: 1.5',
    'slots: 0',
    'hosts: local',
    'env: [A]',
    'setup: 1',
    'hosts: []',
  ])('refuses a pool with %s', (entry) => {
    expect(accepts(`pools: { p: { cpus: 1 } }`)).toBe(true);
    expect(accepts(`pools: { p: { ${entry} } }`)).toBe(false);
  });

  it.each([
    'ssh: "-x"',
    'transport: openssh',
    'folder: x',
    'gpus: -1',
    'gpu_order: []',
    'gpu_order: last',
    'slots_per_gpu: 0',
    'port: 22',
  ])('refuses a host with %s', (entry) => {
    expect(accepts(`hosts: { a: { ${entry} } }`)).toBe(false);
  });

  it('agrees with the server that sections may be empty', () => {
    expect(accepts('hosts: { a: }\npools:\ndefaults:')).toBe(true);
    expect(accepts('defaults: { grace: 10 }')).toBe(false);
  });
});
