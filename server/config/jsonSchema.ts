/** The JSON schema by which editors complete and check a configuration file. */
import { z } from 'zod';
import { fileSchema } from './schema.ts';

/** Text of docs/config.schema.json. Draft 7, because that is what editors' YAML plug-ins all read. */
export function configurationJsonSchema(): string {
  const schema = z.toJSONSchema(fileSchema, { target: 'draft-07', io: 'input' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
