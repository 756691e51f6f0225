/** What runs on a connection: channels, each a command or a subsystem of the host's sshd. */
import type { Readable, Writable } from 'node:stream';
import { VbatchError } from '../protocol/errors.ts';

export interface Terminal {
  /** The kind of terminal, as in TERM. */
  term: string;
  rows: number;
  cols: number;
}

export type ChannelRequest = { command: string; terminal?: Terminal | undefined } | { subsystem: string };

/** How a command has ended: exactly one of the two is null, or both where the host does not say. */
export interface ChannelExit {
  code: number | null;
  /** With SIG before it. */
  signal: string | null;
}

export interface SshChannel {
  /** Ending it is the command's end of file. Destroyed, without an error, when the channel closes. */
  readonly stdin: Writable;
  /** Must be read, or the channel stalls and never closes. */
  readonly stdout: Readable;
  /** Attach to it at once or not at all: what nobody reads is thrown away, so that nothing stalls. */
  readonly stderr: Readable;
  /** Tells a terminal's new size; without a terminal it does nothing. */
  resize(rows: number, cols: number): void;
  /**
   * How the command has ended. Rejects (`unreachable`) where the connection was lost first; then stdout
   * has ended too early. May come before the last of stdout.
   */
  readonly exit: Promise<ChannelExit>;
  /** Resolves when the channel is gone and another may take its place. Never rejects. */
  readonly closed: Promise<void>;
  /** Closes both directions; what becomes of the command is up to the host. */
  close(): void;
}

/** The host has no room for another channel at this moment. */
export class NoRoom extends Error {
  constructor(readonly reason: string) {
    super(`the host has opened no further channel: ${reason}`);
  }
}

/** Reasons of SSH_MSG_CHANNEL_OPEN_FAILURE when MaxSessions is reached: sshd's is 2 (RFC 4254, section 5.1). */
export const noRoomReasons: ReadonlySet<number> = new Set([1, 2, 4]);

/** What to tell where a host opens a channel, but does not run on it what was asked for. */
export function refusedRequest(target: string, request: ChannelRequest): VbatchError {
  const what =
    'subsystem' in request
      ? `offers no ${request.subsystem}; see "Subsystem" in its sshd_config`
      : 'runs no commands for us; see ForceCommand and PermitTTY in its sshd_config, and its authorized_keys';
  return new VbatchError('refused', `${target} ${what}.`);
}

/** A connection to a host's sshd, whichever program speaks for us. */
export interface Link {
  /** As the host's sshd calls itself, such as `OpenSSH_9.2p1`. */
  readonly serverVersion: string;
  /** What it has let us in by, such as the file of a key. */
  readonly identity: string;
  /**
   * Opens a channel. Throws NoRoom where the host opens no more, `refused` where it does not run this,
   * `unreachable` where the connection is over.
   */
  open(request: ChannelRequest): Promise<SshChannel>;
  /** Resolves with a clause that says why the connection is over. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends the connection; `ended` resolves at once. */
  close(): void;
}

/** Throws away what comes in unless somebody has begun to read it by the end of this turn of the event loop. */
export function drainUnread(stream: Readable): void {
  setImmediate(() => {
    if (stream.readableFlowing === null && stream.listenerCount('readable') === 0) stream.resume();
  });
}
