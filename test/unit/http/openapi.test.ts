import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { openApiDocument } from '../../../server/http/openapi.ts';
import { routes } from '../../../server/http/routes/index.ts';

const document = openApiDocument(routes, packageJson.version);

it('docs/api/openapi.json is what the routes and schemas give (vitest -u writes it)', async () => {
  const file = resolve(import.meta.dirname, '../../../docs/api/openapi.json');
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(file);
});
