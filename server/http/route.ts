/**
 * The form of a route. The router, the OpenAPI document and the tests are all made from the one
 * table of them (routes/index.ts).
 */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { HostService } from '../engine/hostActions.ts';
import type { EngineService } from '../engine/service.ts';
import type { ErrorBody, ErrorCode } from '../protocol/errors.ts';
import type { PageKeys } from './pageKeys.ts';

/** What the routes work with. */
export interface Services {
  readonly engine: EngineService;
  readonly hosts: HostService;
  /** The environment that a login on this machine gives, against which a submitter's is compared (R34). */
  readonly loginEnvironment: () => Promise<ReadonlyMap<string, string>>;
  /** Called once the answer to a request to stop has been sent. */
  readonly onStop: () => void;
  readonly pageKeys: PageKeys;
}

/** One request, checked. */
export interface Call<Query = Record<string, unknown>, Body = unknown> {
  /** What stands for `{id}` or `{name}` in the path; empty where the path has none. */
  readonly id: string;
  readonly query: Query;
  /** Undefined where the route takes none. */
  readonly body: Body;
  /** A signal that aborts when the client has gone or the server closes. For answers that take long. */
  gone(): AbortSignal;
  /** The form in which the client is told of a failure; what is unexpected is logged. */
  describe(error: unknown): ErrorBody;
  /** Does something once the answer has been sent, or the client has gone. */
  afterwards(action: () => void): void;
}

interface RouteText {
  /** Path as OpenAPI writes it; `{id}` of a task, or `{name}` of a host, is its one parameter. */
  readonly path: string;
  /** Names the operation in the OpenAPI document. */
  readonly name: string;
  readonly summary: string;
  /** Expected failures beyond those that any request may meet. */
  readonly errors: readonly ErrorCode[];
  /**
   * Who may ask: those who know the server's token where it is absent; also the graph page, which can look and
   * steer but run nothing new; or anybody on this machine.
   */
  readonly access?: 'page' | 'anybody';
}

/** Answers with JSON. */
export interface JsonRoute<
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> extends RouteText {
  readonly kind: 'json';
  readonly method: 'get' | 'post';
  readonly query: Query;
  /** `noBody` where the route takes none. */
  readonly body: Body;
  readonly answer: Answer;
  handle(services: Services, call: Call<z.output<Query>, z.output<Body>>): Promise<z.input<Answer>>;
}

/** What a route sends that does not answer with JSON. */
export interface ByteAnswer {
  readonly headers: OutgoingHttpHeaders;
  /** Bytes. Destroyed when the client goes. */
  readonly source: Readable;
}

/** Answers with a stream of bytes. */
export interface ByteRoute<Query extends z.ZodObject = z.ZodObject> extends RouteText {
  readonly kind: 'bytes';
  readonly method: 'get';
  readonly query: Query;
  /** Content types that may come, each with its meaning. */
  readonly media: Readonly<Record<string, string>>;
  handle(services: Services, call: Call<z.output<Query>>): Promise<ByteAnswer>;
}

/** Becomes a WebSocket (events.ts). */
export interface SocketRoute extends RouteText {
  readonly kind: 'socket';
  readonly method: 'get';
  readonly query: z.ZodObject;
}

export type Route = JsonRoute | ByteRoute | SocketRoute;

export const noQuery = z.strictObject({});
export const noBody = z.undefined();

/** A route that answers with JSON; infers the types of its parts. */
export function jsonRoute<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>(
  route: Omit<JsonRoute<Query, Body, Answer>, 'kind'>,
): JsonRoute {
  return { kind: 'json', ...route };
}

/** A route that answers with bytes; infers the types of its parts. */
export function byteRoute<Query extends z.ZodObject>(
  route: Omit<ByteRoute<Query>, 'kind' | 'method'>,
): ByteRoute {
  return { kind: 'bytes', method: 'get', ...route };
}
