/** The description of the API, made from the table of routes and the schemas that check it. */
import { z } from 'zod';
import { type ErrorCode, errorEntry } from '../protocol/errors.ts';
import { errorBodySchema } from '../protocol/queries.ts';
import * as tasks from '../protocol/tasks.ts';
import { noBody, type Route } from './route.ts';

type JsonObject = Record<string, unknown>;
type Schemas = z.core.$ZodRegistry<{ id: string }>;

/** Every schema that the document refers to, by direction: what has a default may be left out on the way in. */
interface Names {
  readonly inward: Schemas;
  readonly outward: Schemas;
}

/** What may go wrong with any request. */
const commonErrors: readonly ErrorCode[] = ['invalid', 'unauthorized', 'forbidden', 'internal'];

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly Route[], version: string): JsonObject {
  const names = nameSchemas(routes);
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const operations = (paths[route.path] ??= {});
    operations[route.method] = operation(route, names);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'vbatch',
      version,
      description: 'The API of the vbatch server on this machine. README.md beside this file introduces it.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: 'http://127.0.0.1:{port}',
        variables: { port: { default: '0', description: 'From the discovery file.' } },
      },
    ],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'From the discovery file.' } },
      schemas: { ...schemaTexts(names.inward, 'input'), ...schemaTexts(names.outward, 'output') },
    },
  };
}

function nameSchemas(routes: readonly Route[]): Names {
  const inward: Schemas = z.registry();
  inward.add(tasks.submissionSchema, { id: 'Submission' });
  const outward: Schemas = z.registry();
  outward.add(tasks.taskViewSchema, { id: 'Task' });
  outward.add(tasks.taskDetailSchema, { id: 'TaskDetail' });
  outward.add(tasks.attemptViewSchema, { id: 'Attempt' });
  outward.add(tasks.actionResultSchema, { id: 'ActionResult' });
  outward.add(tasks.poolViewSchema, { id: 'Pool' });
  outward.add(tasks.hostViewSchema, { id: 'Host' });
  outward.add(errorBodySchema, { id: 'Error' });
  for (const route of routes) {
    if (route.kind !== 'json') continue;
    const name = route.name.charAt(0).toUpperCase() + route.name.slice(1);
    if (route.body !== noBody) inward.add(route.body, { id: `${name}Request` });
    if (!outward.has(route.answer)) outward.add(route.answer, { id: `${name}Answer` });
  }
  return { inward, outward };
}

function operation(route: Route, names: Names): JsonObject {
  const parameters = [...pathParameters(route), ...queryParameters(route.query)];
  const takesBody = route.kind === 'json' && route.body !== noBody;
  return {
    operationId: route.name,
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(route.access === 'anybody' && { security: [] }),
    ...(takesBody && { requestBody: { required: true, content: json(names.inward, route.body) } }),
    responses: { ...success(route, names), ...failures([...commonErrors, ...route.errors], names) },
  };
}

function success(route: Route, names: Names): JsonObject {
  switch (route.kind) {
    case 'json':
      return { 200: { description: 'Done.', content: json(names.outward, route.answer) } };
    case 'bytes': {
      const content = Object.fromEntries(Object.keys(route.media).map((type) => [type, {}]));
      const meanings = Object.entries(route.media).map(([type, meaning]) => `${type}: ${meaning}`);
      return { 200: { description: meanings.join('\n\n'), content } };
    }
    case 'socket':
      return { 101: { description: 'The connection is a WebSocket from now on.' } };
  }
}

/** One response for each HTTP status; several codes may share one. */
function failures(codes: readonly ErrorCode[], names: Names): JsonObject {
  const answers: Record<number, { description: string; content: JsonObject }> = {};
  for (const code of codes) {
    const { status } = errorEntry(code);
    const content = json(names.outward, errorBodySchema);
    const others = answers[status] === undefined ? 'Error' : `${answers[status].description},`;
    answers[status] = { description: `${others} ${code}`, content };
  }
  return answers;
}

function pathParameters(route: Route): JsonObject[] {
  const [, name] = /\{(\w+)\}/.exec(route.path) ?? [];
  if (name === undefined) return [];
  const description =
    name === 'id'
      ? "A task's id, its slashes written as %2F; or the name of a run, for the newest of that name."
      : "A host's name, as the configuration has it.";
  return [{ name, in: 'path', required: true, description, schema: { type: 'string' } }];
}

function queryParameters(query: z.ZodObject): JsonObject[] {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as JsonObject;
    return { name, in: 'query', ...(description !== undefined && { description }), schema };
  });
}

function json(registry: Schemas, schema: z.ZodType): JsonObject {
  return { 'application/json': { schema: { $ref: reference(registry.get(schema)?.id ?? '') } } };
}

function reference(name: string): string {
  return `#/components/schemas/${name}`;
}

/** The JSON Schemas of a registry by name. Answers may gain fields, so they are left open. */
function schemaTexts(registry: Schemas, io: 'input' | 'output'): JsonObject {
  const { schemas } = z.toJSONSchema(registry, {
    uri: reference,
    io,
    override: ({ jsonSchema }) => {
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _dialect, $id: _address, ...schema }]) => [name, schema]),
  );
}
