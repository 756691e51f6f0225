/** What a host needs of the machine that it is on, however that is reached: this one, or one over SSH. */

import type { Readable } from 'node:stream';
import type { Shape, Terminal, TerminalSize } from '../model/task.ts';
import type { Finding, Pruned } from '../protocol/hosts.ts';
import type { AgentShell } from './agent/process.ts';
import type { HostPaths } from './files.ts';
import type { AttemptKey, HostFacts, HostWorkspace, TerminalEnd } from './host.ts';
import type { Login } from './login.ts';

export interface Machine {
  /**
   * Reaches the machine, and makes its folder ready for an agent. Called again when the agent has
   * ended. Rejects with an Error whose message is a clause that says why it cannot be reached.
   */
  reach(signal: AbortSignal): Promise<Site>;
  /** See `Host.examine`. */
  check(configured: Partial<Shape>, signal: AbortSignal): Promise<Finding[]>;
  /** Prunes its folder. Throws `unreachable` where it is not reached at the moment. */
  prune(request: PruneRequest): Promise<Leftovers>;
}

export interface PruneRequest {
  /** Attempts of which everything is removed. */
  attempts: readonly AttemptKey[];
  /** Names of folders of other servers to remove, for which `look` must be `all`. */
  folders: readonly string[];
  /** What is left is told of nothing, of attempts, or of attempts and folders of other servers. */
  look: 'nothing' | 'attempts' | 'all';
}

export interface Leftovers {
  pruned: Pruned;
  /** Attempts of which there are files. */
  attempts: AttemptKey[];
}

/** A machine that has been reached. */
export interface Site {
  readonly facts: HostFacts;
  readonly paths: HostPaths;
  /** Marks the processes of this folder's attempts, so that no other state folder's are ever touched. */
  readonly cookie: string;
  /** Set for all that runs there. */
  readonly variables: Readonly<Record<string, string>>;
  /** The command that runs a fresh shell. */
  readonly shell: readonly string[];
  /** Path of a bash for setup lines, or null where there is none. */
  readonly bash: string | null;
  /** Where procfs is mounted. */
  readonly proc: string;
  /** Captured once for each machine (R34). */
  readonly login: Promise<Login>;
  readonly files: SiteFiles;
  /** See Host. */
  readonly workspace: HostWorkspace | null;
  /** Attempts of which the machine still keeps files; null where it keeps those of all. */
  readonly attempts: readonly AttemptKey[] | null;
  /** Seconds after which an agent ends that hears nothing; 0 where it cannot lose its server unnoticed. */
  readonly lease: number;
  /** Starts the shell that becomes the agent. Its end is also the end of whatever connection the site has. */
  openShell(): Promise<AgentShell>;
  /**
   * Opens a terminal on the machine, and runs a script there in a fresh shell, which leads its session. Throws
   * `refused` where no terminal can be had, `unreachable` where the connection is over; then nothing runs.
   */
  openTerminal(script: string, terminal: Terminal): Promise<TerminalChannel>;
}

/** A terminal on the machine, which is hung up when the connection to it is lost. */
export interface TerminalChannel {
  /** Types. Resolves when the next bytes may follow; never rejects. */
  input(bytes: Buffer): Promise<void>;
  /** What is shown; must be read, or what runs there stalls. */
  readonly output: Readable;
  resize(size: TerminalSize): void;
  /** Resolves when it is over and all output has arrived. Never rejects. */
  readonly closed: Promise<TerminalEnd>;
  /** Hangs up: what runs in it gets SIGHUP. */
  close(): void;
}

/** Small files of the machine. Paths are absolute, in the spelling of protocol/bytes. */
export interface SiteFiles {
  /** A file's bytes, or null where there is no regular file that can be read. */
  read(path: string): Promise<Buffer | null>;
  /** Up to `length` bytes from `offset`, or null as `read`. */
  readRange(path: string, offset: number, length: number): Promise<Buffer | null>;
  /** Writes a file that is never seen half written, and the folders that lead to it. */
  writeWhole(path: string, contents: string | Buffer, mode: number): Promise<void>;
  /** Removes those of the files and folders that are there. */
  remove(paths: readonly string[]): Promise<void>;
}
