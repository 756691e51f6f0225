import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { openApiDocument } from '../../../server/http/openapi.ts';
import { routes } from '../../../server/http/routes/index.ts';
import { errorCodes, errorEntry } from '../../../server/protocol/errors.ts';
import { maxArgumentBytes, maxBatch, maxBodyBytes, maxCommandBytes } from '../../../server/protocol/tasks.ts';

const folder = resolve(import.meta.dirname, '../../../docs/api');
const document = openApiDocument(routes, packageJson.version);

it('docs/api/openapi.json is what the routes and schemas give (`npx vitest run -u` writes it)', async () => {
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(`${folder}/openapi.json`);
});

it('describes every route, and refers only to schemas that it has', () => {
  const paths = document.paths as Record<string, object>;
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );
  expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  const { schemas } = document.components as { schemas: Record<string, unknown> };
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target);
  expect(references.length).toBeGreaterThan(50);
  const known = Object.keys(schemas).map((name) => `#/components/schemas/${name}`);
  expect(known).toEqual(expect.arrayContaining(references));
});

it('docs/api/README.md has the table of errors and the limits as they are', () => {
  const source = readFileSync(`${folder}/README.md`, 'utf8');
  const rows = [...source.matchAll(/^\| `(\w+)` +\| (\d+) +\| (yes|no) +\|/gm)].map((row) => row.slice(1));
  expect(rows).toEqual(
    errorCodes.map((code) => {
      const { status, retryable } = errorEntry(code);
      return [code, String(status), retryable ? 'yes' : 'no'];
    }),
  );
  const text = source.replace(/\s+/g, ' ');
  expect(text).toContain(`has at most ${maxBodyBytes / 2 ** 20} MiB`);
  expect(text).toContain(`${maxArgumentBytes.toLocaleString('en')} bytes`);
  expect(text).toContain(`command line at most ${maxCommandBytes / 2 ** 20} MiB`);
  expect(text).toContain(`Up to ${maxBatch.toLocaleString('en')} tasks`);
});
