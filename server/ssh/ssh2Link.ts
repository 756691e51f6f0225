/** A connection that ssh2 speaks: TCP or a stream to the host, its key, who we are, and channels. */
import { Duplex, Writable } from 'node:stream';
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2';
import { encodeBytes } from '../protocol/bytes.ts';
import { VbatchError } from '../protocol/errors.ts';
import { offered } from './algorithms.ts';
import { Authentication } from './authentication.ts';
import {
  type ChannelExit,
  type ChannelRequest,
  drainUnread,
  type Link,
  NoRoom,
  noRoomReasons,
  refusedRequest,
  type SshChannel,
} from './channel.ts';
import { Deadline } from './deadline.ts';
import { unreachable } from './dial.ts';
import { keyName, verifyHostKey } from './hostKey.ts';
import { readKnownHosts } from './knownHosts.ts';
import { later } from './later.ts';
import { Life } from './life.ts';
import type { SshMemory } from './memory.ts';
import type { Prompter } from './prompter.ts';
import { remembering } from './remembering.ts';
import { address, type SshSettings } from './settings.ts';

export interface LinkOptions {
  env: NodeJS.ProcessEnv;
  prompter: Prompter;
  memory: SshMemory;
  log: (message: string) => void;
  signal: AbortSignal;
  /** Seconds between two signs of life, and how many may go unanswered. */
  keepalive: { interval: number; count: number };
  /** Seconds to connect in, people's answers not counted. */
  connectTimeout: number;
}

/** What ssh2 cannot do and the system's own ssh perhaps can. */
export class NeedsSystemSsh extends Error {}

/** What ssh2 gives where a channel is not opened, with the reason's number. */
type Refusal = Error & { reason?: unknown };
type Answer = (error: Refusal | undefined, raw: ClientChannel) => void;

/** A peer that is frozen never says goodbye; then the socket is torn down. Milliseconds. */
const farewell = 500;

/**
 * Makes a connection over a stream to the host's sshd. Throws `unreachable` where there is no answer,
 * `refused` for a host key or an identity that is not accepted, NeedsSystemSsh for what ssh2 cannot do.
 */
export async function connectBySsh2(
  settings: SshSettings,
  stream: Duplex,
  options: LinkOptions,
): Promise<Ssh2Link> {
  const link = new Ssh2Link(settings, stream, options);
  try {
    await link.connect();
    return link;
  } catch (error) {
    link.close();
    throw error;
  }
}

export class Ssh2Link implements Link {
  private readonly client = new ssh2.Client();
  private readonly life = new Life();
  readonly ended = this.life.ended;
  private lastError: Error | null = null;
  private gathering = false;
  serverVersion = 'unknown';
  identity = 'unknown';

  constructor(
    private readonly settings: SshSettings,
    private readonly stream: Duplex,
    private readonly options: LinkOptions,
  ) {
    stream.on('error', (error) => {
      this.lastError ??= error;
    });
  }

  /** Shakes hands and authenticates. */
  async connect(): Promise<void> {
    const { settings, stream, options, client } = this;
    const known = await readKnownHosts([...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles]);
    const { host, port } = keyName(settings);
    const algorithms = offered(settings, known.types(host, port));
    const lacking = Object.entries(algorithms).find(([, names]) => names.length === 0);
    if (lacking) throw new NeedsSystemSsh(`none of the ${lacking[0]} algorithms that are allowed for it`);

    options.signal.throwIfAborted();

    const ready = later<void>();
    const deadline = new Deadline(options.connectTimeout * 1_000, () =>
      ready.reject(unreachable(settings, `it has not let us in within ${options.connectTimeout} s`)),
    );
    const abort = (): void => ready.reject(options.signal.reason as Error);
    options.signal.addEventListener('abort', abort);
    const asking = deadline.excluding(options.prompter);
    const { prompter: answering, keep } = remembering(asking, options.memory);
    // Of a passphrase it is the key that is remembered.
    const prompter = { ...answering, passphrase: asking.passphrase };
    const authentication = new Authentication(settings, prompter, options.memory, options.env);
    const policy = { known, prompter, memory: options.memory, log: options.log };

    // Errors come once or twice, and a lost connection may come without one: all listeners stay for good.
    client.on('error', (error: Error & { level?: string }) => {
      // A key that an agent does not sign with is passed over.
      if (error.level === 'agent') return;
      this.lastError = error;
      ready.reject(this.explain(error, authentication));
    });
    const lose = (): void => {
      this.life.end(this.lossClause());
      ready.reject(unreachable(settings, `${this.life.over}`));
    };
    client.on('end', () => {
      lose();
      // A stream through a jump host stays half open by itself.
      stream.destroy();
    });
    client.on('close', lose);
    if (stream.destroyed) lose();
    client.on('change password', () => {
      const advice = `log in with "ssh ${settings.target}" and set one`;
      ready.reject(
        new VbatchError('refused', `${address(settings)} wants a new password to be set: ${advice}.`),
      );
    });
    client.on('ready', () => ready.resolve());
    client.connect({
      sock: stream,
      username: settings.user,
      readyTimeout: 0,
      keepaliveInterval: options.keepalive.interval * 1_000,
      keepaliveCountMax: options.keepalive.count,
      algorithms: algorithms as NonNullable<ConnectConfig['algorithms']>,
      authHandler: authentication.handler,
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
        verifyHostKey(settings, key, policy).then(
          () => verify(true),
          (error: Error) => {
            ready.reject(error);
            verify(false);
          },
        );
      },
    });
    try {
      await ready.promise;
    } finally {
      deadline.stop();
      options.signal.removeEventListener('abort', abort);
    }
    const { _remoteVer: version } = client as unknown as { _remoteVer?: string };
    this.serverVersion = version ?? 'unknown';
    this.identity = authentication.accepted;
    keep();
  }

  /** What went wrong before the connection was ready. */
  private explain(error: Error & { level?: string }, authentication: Authentication): Error {
    const { settings } = this;
    if (error instanceof VbatchError) return error;
    if (/no matching|Unsupported algorithm/i.test(error.message)) return new NeedsSystemSsh(error.message);
    if (error.level === 'client-authentication') {
      const { elsewhere } = authentication;
      return elsewhere === null ? authentication.failure() : new NeedsSystemSsh(elsewhere);
    }
    if (/too many authentication failures/i.test(error.message)) return authentication.failure(error.message);
    return unreachable(settings, error.message);
  }

  private lossClause(): string {
    const { keepalive } = this.options;
    const { lastError } = this;
    if (lastError === null) return 'the host has closed the connection';
    if ('level' in lastError && lastError.level === 'client-timeout') {
      return `the host has not answered for ${keepalive.interval * keepalive.count} s`;
    }
    return `the connection has failed: ${lastError.message}`;
  }

  private lost(): VbatchError {
    return new VbatchError(
      'unreachable',
      `The connection to ${this.settings.target} is over: ${this.life.over}.`,
    );
  }

  async open(request: ChannelRequest): Promise<SshChannel> {
    const refuse = (error: Refusal): Error =>
      noRoomReasons.has(error.reason as number)
        ? new NoRoom(error.message)
        : refusedRequest(this.settings.target, request);
    const start = (answer: Answer) => {
      if ('subsystem' in request) {
        this.client.subsys(request.subsystem, answer);
      } else {
        // ssh2 takes bytes as well as text, though its types do not say so.
        const command = encodeBytes(request.command) as unknown as string;
        this.client.exec(command, request.terminal ? { pty: request.terminal } : {}, answer);
      }
    };
    return this.ask(refuse, start, (raw) => this.wrap(raw));
  }

  /** A connection from the host to another one behind it. Throws `unreachable`. */
  async forward(host: string, port: number): Promise<Duplex> {
    const refuse = ({ message }: Refusal): Error =>
      new VbatchError(
        'unreachable',
        `${this.settings.target} does not connect us to ${host} port ${port}: ${message}`,
      );
    const start = (answer: Answer) => this.client.forwardOut('127.0.0.1', 0, host, port, answer);
    return this.ask(refuse, start, (raw) => raw);
  }

  /**
   * @param take called at once: what is told of a channel may come in the same turn of the event loop as the channel
   *   itself, and is told to nobody else
   */
  private async ask<T>(
    refuse: (error: Refusal) => Error,
    start: (answer: Answer) => void,
    take: (raw: ClientChannel) => T,
  ): Promise<T> {
    if (this.life.over !== null) throw this.lost();
    const reply = later<T>();
    // A request on a connection that is closed meanwhile may never be answered.
    const unwatch = this.life.watch(() => reply.reject(this.lost()));
    try {
      start((error, raw) => {
        if (error) reply.reject(this.life.over === null ? refuse(error) : this.lost());
        else reply.resolve(take(raw));
      });
      return await reply.promise;
    } catch (error) {
      // ssh2 throws where its socket is closed already, which is told in a moment.
      throw error instanceof VbatchError || error instanceof NoRoom
        ? error
        : unreachable(this.settings, (error as Error).message);
    } finally {
      unwatch();
    }
  }

  private wrap(raw: ClientChannel): SshChannel {
    const closed = later<void>();
    const exit = later<ChannelExit>();
    // Whoever is interested has a handler of their own.
    exit.promise.catch(() => {});
    const stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.gather();
        raw.write(chunk, done);
      },
      final: (done) => {
        raw.end();
        done();
      },
    });
    stdin.on('error', () => {});
    raw.on('error', () => {});
    raw.on('exit', (code: number | null, signal?: string) => exit.resolve({ code, signal: signal ?? null }));
    let unwatch = (): void => {};
    const finish = (): void => {
      unwatch();
      if (this.life.over === null) exit.resolve({ code: null, signal: null });
      else exit.reject(this.lost());
      stdin.destroy();
      closed.resolve();
    };
    raw.on('close', finish);
    unwatch = this.life.watch(finish);
    drainUnread(raw.stderr);
    return {
      stdin,
      stdout: raw,
      stderr: raw.stderr,
      exit: exit.promise,
      closed: closed.promise,
      resize: (rows, cols) => raw.setWindow(rows, cols, 0, 0),
      close: () => {
        raw.close();
        // Closing is told only when all has been read.
        raw.resume();
      },
    };
  }

  /**
   * Lets all that is written in this turn of the event loop go out at once: for a small packet, the system call
   * costs more than all the rest.
   */
  private gather(): void {
    if (this.gathering) return;
    this.gathering = true;
    this.stream.cork();
    setImmediate(() => {
      this.gathering = false;
      this.stream.uncork();
    });
  }

  close(): void {
    this.life.end('it was closed');
    this.client.end();
    const timer = setTimeout(() => this.stream.destroy(), farewell);
    timer.unref();
    this.client.on('close', () => clearTimeout(timer));
  }
}
