/**
 * Requests to the server over one pool of kept connections. Built on node:http rather than `fetch`,
 * which costs 22 ms to load.
 */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type ErrorBody, isErrorCode, VbatchError } from '../protocol/errors.ts';

/** Where the server is, and what it wants to hear. Both are in the discovery file. */
export interface Address {
  readonly port: number;
  readonly token: string;
}

/** Finds the server again after a connection was lost. Throws `noServer` where there is none. */
export type Finder = () => Promise<Address>;

/** The connection failed, as opposed to the server's own refusal. */
class ConnectionLost extends VbatchError {
  /** @param unsent whether the server cannot have seen the request. */
  constructor(
    message: string,
    readonly unsent: boolean,
  ) {
    super('noServer', message);
  }
}

export interface RequestOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Asking twice does no more than asking once, so it may be sent again after a lost connection. */
  readonly repeatable: boolean;
}

export class Transport {
  private readonly agent = new Agent({ keepAlive: true });
  private finding: Promise<Address> | null = null;

  /** @param find null where a lost server is not to be looked for. */
  constructor(
    private address: Address,
    private readonly find: Finder | null,
  ) {}

  /** The answer to a request, as JSON. Throws the server's own error, or `noServer`. */
  async json<Answer>(method: string, path: string, options: RequestOptions): Promise<Answer> {
    const response = await this.open(method, path, options);
    return JSON.parse(await textOf(response, method, path, options.signal)) as Answer;
  }

  /** The answer as it arrives. Reading fails with `noServer` where the connection is lost. */
  async *bytes(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    const response = await this.open('GET', path, { signal, repeatable: true });
    try {
      for await (const bytes of response) yield bytes as Buffer;
    } catch (error) {
      throw lost(error, 'GET', path, signal);
    }
  }

  /** Where the server is now. */
  async locate(): Promise<Address> {
    if (this.find === null) return this.address;
    // Several requests may lose the same server at once; one search serves them all.
    this.finding ??= this.find().finally(() => {
      this.finding = null;
    });
    this.address = await this.finding;
    return this.address;
  }

  /** Where the server answered last. */
  get port(): number {
    return this.address.port;
  }

  /** Ends the kept connections. */
  close(): void {
    this.agent.destroy();
  }

  private async open(method: string, path: string, options: RequestOptions): Promise<IncomingMessage> {
    const { address } = this;
    try {
      return await this.send(method, path, options);
    } catch (error) {
      if (this.find === null || !isWorthRepeating(error, options.repeatable)) throw error;
      // Another request may have found the server meanwhile.
      if (this.address === address) await this.locate();
      return await this.send(method, path, options);
    }
  }

  private async send(
    method: string,
    path: string,
    { body, signal }: RequestOptions,
  ): Promise<IncomingMessage> {
    const { port, token } = this.address;
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const target = { host: '127.0.0.1', port, agent: this.agent, method, path, headers };
      const request = httpRequest(signal === undefined ? target : { ...target, signal }, resolve);
      request.on('error', (error) => reject(lost(error, method, path, signal)));
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
    if (response.statusCode === 200) return response;
    throw failureOf(await textOf(response, method, path, signal), response.statusCode);
  }
}

function isWorthRepeating(error: unknown, repeatable: boolean): boolean {
  // A server that was started anew has another token, and may by chance have the old one's port.
  if (error instanceof ConnectionLost) return repeatable || error.unsent;
  return error instanceof VbatchError && error.code === 'unauthorized';
}

/** Listens, since iterating would load a part of Node that a short call needs for nothing else. */
function textOf(
  response: IncomingMessage,
  method: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => parts.push(part));
    response.once('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    response.once('error', (error) => reject(lost(error, method, path, signal)));
  });
}

/** The error that an answer carries. */
function failureOf(text: string, status: number | undefined): VbatchError {
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    return new VbatchError(isErrorCode(error.code) ? error.code : 'internal', error.message);
  } catch {
    return new VbatchError('internal', `The server answered with status ${status} and no explanation.`);
  }
}

/** What a failed connection means; what the caller itself has aborted stays that. */
function lost(error: unknown, method: string, path: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED')
    return new ConnectionLost('No vbatch server answers; it may have stopped.', true);
  const what = `${method} ${path.replace(/\?.*/, '')}`;
  return new ConnectionLost(`The connection to the vbatch server broke (${code}) during ${what}.`, false);
}
