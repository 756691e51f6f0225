/** Connections to machines over SSH, whichever program speaks for us. */
import { VbatchError } from '../protocol/errors.ts';
import { realTimers } from '../timers.ts';
import type { Link, SshChannel, Terminal } from './channel.ts';
import { createMemory, type SshMemory } from './memory.ts';
import type { Prompter } from './prompter.ts';
import { connectThroughJumps } from './route.ts';
import { Sessions } from './sessions.ts';
import { resolveSettings, type SshSettings } from './settings.ts';
import { SftpClient } from './sftp.ts';
import { type LinkOptions, NeedsSystemSsh } from './ssh2Link.ts';
import { connectBySystemSsh } from './systemSsh.ts';
import { needsSystemSsh, type Transport } from './transport.ts';

export interface SshConnection {
  readonly transport: Transport;
  /** The name or address to which the SSH configuration leads. */
  readonly hostName: string;
  /** As the host's sshd calls itself, such as `OpenSSH_9.2p1`. */
  readonly serverVersion: string;
  /** What it has let us in by, such as the file of a key. */
  readonly identity: string;
  /**
   * Runs a command in the user's shell, once the host has room for another channel.
   * Throws `unreachable` where the connection is over, `refused` where the host runs no commands, and the
   * reason of `signal`, which calls off the waiting for room.
   */
  exec(command: string, options?: { terminal?: Terminal; signal?: AbortSignal }): Promise<SshChannel>;
  /** The host's files: one SFTP session, opened when first asked for, shared by all, counted as a channel. */
  files(): Promise<SftpClient>;
  /** Resolves with a clause when the connection is over, whatever ended it. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it at once; what is under way fails with `unreachable`. */
  close(): void;
}

export interface ConnectOptions {
  /** Instead of `~/.ssh/config` and the system's. */
  configFile?: string;
  /** PATH finds ssh, SSH_AUTH_SOCK the agent. */
  env: NodeJS.ProcessEnv;
  prompter: Prompter;
  /** Shared by all connections of a process. */
  memory?: SshMemory;
  log: (message: string) => void;
  /** Calls the attempt off, with its reason as the error; a connection that stands is not touched. */
  signal?: AbortSignal;
  /** By default what `keepaliveOf` makes of the configuration. */
  keepalive?: Keepalive;
  /** Seconds for each host on the way, people's answers not counted. */
  connectTimeout?: number;
  /** Channels at once, SFTP's among them. */
  maxSessions?: number;
  /** By default ssh2, and the system's ssh for what ssh2 cannot do. */
  transport?: Transport;
}

/** Seconds between two signs of life, and how many may go unanswered. */
export interface Keepalive {
  interval: number;
  count: number;
}

const defaultKeepalive = { interval: 5, count: 3 };
const defaultConnectTimeout = 20;
const defaultMaxSessions = 10;
/** Whether the system's ssh shares a connection, by which we use it. That of Windows does not. */
const hasControlMaster = process.platform !== 'win32';

/**
 * Connects to a target: a name of `~/.ssh/config`, or `user@host:port`.
 * Throws `invalid` or `configuration` for what cannot be resolved, `unreachable` where there is no answer,
 * `refused` where the host's key or ours is not accepted.
 */
export async function connect(target: string, options: ConnectOptions): Promise<SshConnection> {
  const { env, log } = options;
  const settings = await resolveSettings(target, { configFile: options.configFile, env });
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const memory = options.memory ?? createMemory();
  const optionsOf = (hop: SshSettings): LinkOptions => ({ ...linkOptions(hop, options), memory, signal });
  const maxSessions = options.maxSessions ?? defaultMaxSessions;
  const over = (transport: Transport, link: Link): SshConnection =>
    new Connection(transport, link, settings, maxSessions);
  let need = options.transport === undefined && hasControlMaster ? await needsSystemSsh(settings, env) : null;
  if (options.transport !== 'system' && need === null) {
    try {
      return over('ssh2', await connectThroughJumps(settings, optionsOf));
    } catch (error) {
      if (!(error instanceof NeedsSystemSsh)) throw error;
      if (options.transport === 'ssh2') throw onlyBySystem(settings, error.message);
      need = error.message;
    }
  }
  if (!hasControlMaster) throw notFromWindows(settings, need ?? 'the transport system');
  if (need !== null) log(`${target} is reached by the system's own ssh, because of ${need}`);
  return over('system', await connectBySystemSsh(settings, options.configFile, optionsOf(settings)));
}

function notFromWindows({ target }: SshSettings, what: string): VbatchError {
  return new VbatchError(
    'refused',
    `${target} is out of reach from Windows, because of ${what}: its ssh keeps no connection open for others. ` +
      'Have it let in by a key of a file or an agent.',
  );
}

function onlyBySystem({ target }: SshSettings, what: string): VbatchError {
  return new VbatchError(
    'refused',
    `${target} is out of reach for the transport ssh2, because of ${what}: use the transport system.`,
  );
}

/** What holds for a host on the way, from its own settings where the caller says nothing. */
function linkOptions(settings: SshSettings, options: ConnectOptions): Omit<LinkOptions, 'memory' | 'signal'> {
  const { connectTimeout } = settings;
  return {
    env: options.env,
    prompter: options.prompter,
    log: options.log,
    keepalive: options.keepalive ?? keepaliveOf(settings),
    connectTimeout: options.connectTimeout ?? connectTimeout ?? defaultConnectTimeout,
  };
}

/**
 * What the configuration says, if that notices a lost link sooner than we would by ourselves. Long intervals are
 * there to keep a firewall's memory alive, or come from Debian, whose ssh has 300 s for `BatchMode yes`; here
 * somebody waits to be told, and a connection given up too early is no outcome of any task (R30).
 */
export function keepaliveOf({
  serverAliveInterval: interval,
  serverAliveCountMax: count,
}: Pick<SshSettings, 'serverAliveInterval' | 'serverAliveCountMax'>): Keepalive {
  const longest = defaultKeepalive.interval * defaultKeepalive.count;
  return interval > 0 && interval * count < longest ? { interval, count } : defaultKeepalive;
}

class Connection implements SshConnection {
  private readonly sessions: Sessions;
  private sftp: Promise<SftpClient> | null = null;

  constructor(
    readonly transport: Transport,
    private readonly link: Link,
    private readonly settings: SshSettings,
    maxSessions: number,
  ) {
    this.sessions = new Sessions(link, maxSessions, realTimers, settings.target);
  }

  get hostName(): string {
    return this.settings.hostName;
  }

  get serverVersion(): string {
    return this.link.serverVersion;
  }

  get identity(): string {
    return this.link.identity;
  }

  get ended(): Promise<string> {
    return this.link.ended;
  }

  exec(command: string, options: { terminal?: Terminal; signal?: AbortSignal } = {}): Promise<SshChannel> {
    return this.sessions.request({ command, terminal: options.terminal }, options.signal);
  }

  files(): Promise<SftpClient> {
    this.sftp ??= this.openFiles();
    return this.sftp;
  }

  private async openFiles(): Promise<SftpClient> {
    try {
      const channel = await this.sessions.request({ subsystem: 'sftp' });
      const client = await SftpClient.start(channel, this.settings.target);
      // A server that has ended is started again when files are next asked for.
      void client.ended.then(() => {
        this.sftp = null;
      });
      return client;
    } catch (error) {
      // Without a subsystem there is none later either, and each attempt may cost a channel.
      if (!(error instanceof VbatchError) || error.code !== 'refused') this.sftp = null;
      throw error;
    }
  }

  close(): void {
    this.link.close();
  }
}
