/**
 * The one interface behind which tasks run. `LocalHost` implements it by a child process; a host
 * reached over SSH implements it by one connection. Both speak to the same agent (hosts/agent).
 */
import type { Readable, Writable } from 'node:stream';
import type { EnvironmentChange, Exit, Shape, Terminal, TerminalSize } from '../model/task.ts';
import type { Finding, Pruned, Question } from '../protocol/hosts.ts';

/**
 * Names one attempt on a host for ever: `TASKNUMBER.ATTEMPT`, such as `17.1`. Every report carries
 * it, so that a late one is recognised.
 */
export type AttemptKey = string;

/** Names one nested call of vbatch or vrun: `ATTEMPTKEY/REQUEST`, unique for ever (R4). */
export type CallKey = string;

/** Who uses one GPU of a host at the moment. */
export interface GpuUse {
  index: number;
  /** Bytes in use on it, and how many it has; null where the driver does not tell. */
  used: number | null;
  total: number | null;
  /** It may drive a screen, which takes memory without being a process of the list. */
  mayShowScreen: boolean;
  /** Those that calculate on it, as far as the driver shows them. */
  processes: readonly GpuProcess[];
}

export interface GpuProcess {
  /** Bytes, or null where the driver does not tell. */
  memory: number | null;
  /**
   * `attempt`: it carries that attempt's mark. `user`: it carries none of ours; `self` says that this is the
   * user as whom we run. `hidden`: there is no such process as far as can be seen from there.
   */
  owner:
    | { kind: 'attempt'; key: AttemptKey }
    | { kind: 'user'; name: string; self: boolean }
    | { kind: 'hidden' };
}

/** What a host is found to have. */
export interface HostFacts {
  cpus: number;
  memory: number;
  /** One entry a GPU; its place in the list is its index on the host. */
  gpus: { name: string; memory: number }[];
  /** Its name or address for other hosts, as far as can be told from here; empty where it cannot. */
  address: string;
}

export interface StartOrder {
  key: AttemptKey;
  command: readonly string[];
  /** Whether its stdin takes what `input` gives, or it runs in a terminal; else it is empty (R36). */
  stdin: 'empty' | 'open' | Terminal;
  directory: string;
  /** Shell lines to run before the command: the host's, then the pool's (R34). Empty for none. */
  setup: string;
  /** What the submitter changed, applied on top of the login environment and `setup`. */
  environment: EnvironmentChange;
  /** `-e` and the VBATCH_ variables, applied last. */
  variables: Readonly<Record<string, string>>;
}

export type LogStream = 'stdout' | 'stderr';

/** A stretch of output in the order it was written, as far as the host could tell (R36). */
export interface LogStretch {
  stream: LogStream;
  /** Offset of its first byte within that stream. */
  offset: number;
  length: number;
}

/** A call of vbatch or vrun from inside a running attempt. */
export interface NestedCall {
  key: CallKey;
  attempt: AttemptKey;
  program: 'vbatch' | 'vrun';
  /** Arguments after the program's name, byte for byte. */
  args: string[];
  directory: string;
  /** What the calling process had changed in its environment since its attempt started. */
  environment: EnvironmentChange;
  /** The calling process's whole environment, for `-e NAME`. */
  variables: ReadonlyMap<string, string>;
  /** Aborts when the calling process, a vrun, is told to end. It waits for its answer all the same. */
  gone: AbortSignal;
}

/** What the shim prints and how it exits. */
export interface CallAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** What is to run in a terminal beside an attempt. */
export interface BesideOrder {
  key: AttemptKey;
  directory: string;
  /** Null for the person's shell on that machine. */
  command: readonly string[] | null;
  terminal: Terminal;
}

/** Somebody who looks at a terminal. */
export interface Viewer {
  /** Shows bytes. Resolves when the next may follow; never rejects. */
  show(bytes: Buffer): Promise<void>;
  /** All has been shown. */
  over(end: TerminalEnd): void;
}

/** A viewer's place at a terminal. */
export interface Seat {
  /** Types. Resolves when the next bytes may follow; never rejects. */
  input(bytes: Buffer): Promise<void>;
  resize(size: TerminalSize): void;
  /** Nothing more is shown to this viewer. */
  leave(): void;
}

/** How a terminal ended. */
export interface TerminalEnd {
  /** Of what ran in it, where that is known. */
  exitCode: number | null;
  /** Why it is gone although what ran in it had not ended, as a clause; else null. */
  lost: string | null;
}

/** What a host tells. Handlers never throw; reports may repeat and may be late. */
export interface HostReports {
  /** The agent answers; everything unreported so far will be reported now. */
  online(facts: HostFacts): void;
  /** The agent is out of reach; attempts go on without it (R30). */
  offline(reason: string): void;
  /** The attempt's process runs. */
  started(key: AttemptKey): void;
  /** The attempt's process has ended, and after `stop` nothing of its process group is left. */
  ended(key: AttemptKey, exit: Exit): void;
  /** The attempt was started once, its process is gone, and no end was recorded (R32). */
  lost(key: AttemptKey): void;
  /**
   * Answer to `check`: the host has never heard of this attempt. An earlier `start` may still take
   * effect; to be sure of either, start it again (one of the two takes effect) or stop it.
   */
  absent(key: AttemptKey): void;
  call(call: NestedCall): void;
  /** Who uses its GPUs: soon after `online` where it has any, and from time to time; empty where that cannot be told. */
  gpuUse(use: readonly GpuUse[]): void;
  /** Its `question` is another one now, or none. */
  asks(): void;
  /** After `online`: attempts of which the machine still keeps files, where it does not keep those of all. */
  remaining(keys: readonly AttemptKey[]): void;
}

/** The files of runs on a host, which a script of ours looks after: agent/workspace.sh. */
export interface HostWorkspace {
  /** Absolute path of the folder that the host keeps for this server. */
  readonly folder: string;
  /** Runs the script with these words. Throws `unreachable`. */
  run(words: readonly string[]): Promise<HostProcess>;
}

/** A process on a host, by its streams. */
export interface HostProcess {
  readonly stdin: Writable;
  /** Must be read. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Rejects where the connection is lost first. */
  readonly exit: Promise<{ code: number | null }>;
  close(): void;
}

/** What may be removed from a machine. */
export interface Leavings {
  /** Whether the attempt is one of this server's. What is left of others goes. */
  isKnown: (key: AttemptKey) => boolean;
  /** Names of folders of other servers. */
  folders: readonly string[];
}

/** Attempts on a host, by orders that return at once and are idempotent; what came of them arrives as reports. */
export interface HostAttempts {
  start(order: StartOrder): void;
  /** Ends the attempt's whole process group: TERM, `graceSeconds`, KILL (R26). Ends in `ended`. */
  stop(key: AttemptKey, graceSeconds: number): void;
  /** Asks for the attempt's state: `started`, `ended`, `lost` or `absent` follows. */
  check(key: AttemptKey): void;
  /** The attempt's end is recorded for good: once its output is here, the machine need keep nothing of it. */
  settled(key: AttemptKey): void;
  /** Removes all that is kept of these attempts, here and on the machine. */
  forget(keys: readonly AttemptKey[]): Promise<void>;
}

/** What attempts have written. It is read from what is here, whether the host is in reach or not. */
export interface HostLogs {
  /** Bytes a stream holds by now; 0 where the attempt has written nothing. */
  size(key: AttemptKey, stream: LogStream): Promise<number>;
  /** Up to `length` bytes from `offset`; shorter at the end of what is written. */
  read(key: AttemptKey, stream: LogStream, offset: number, length: number): Promise<Buffer>;
  /** The interleaving of both streams up to their present sizes. */
  order(key: AttemptKey): Promise<LogStretch[]>;
  /** Calls back soon after either stream may have grown, until the returned function is called. */
  watch(key: AttemptKey, changed: () => void): () => void;
  /** Whether all that an ended attempt has written can be read here; else `watch` tells when more has come. */
  isWhole(key: AttemptKey): boolean;
  /** Whether nothing of any attempt's output is still to come. */
  isComplete(): boolean;
}

/** What people type into attempts, and see of them, while they run. */
export interface HostTerminals {
  /**
   * Types bytes into an attempt's stdin, from this offset on; what has arrived there before is left out.
   * With `end` nothing follows. Resolves when all of it has been taken: with false where the command
   * takes no more. While the host is offline this waits.
   */
  input(key: AttemptKey, offset: number, bytes: Buffer, end: boolean): Promise<boolean>;
  /**
   * Takes a place at the terminal of an attempt: what was shown last is shown first, then all that follows.
   * Null where we hold none of it: it never had one, or that was lost with its connection or an earlier server.
   */
  attend(key: AttemptKey, viewer: Viewer): Seat | null;
  /**
   * Opens a terminal beside a running attempt, with the environment of that. It is hung up when the viewer leaves or the attempt ends.
   * Throws `unreachable`, or `refused` where no terminal can be had.
   */
  openBeside(order: BesideOrder, viewer: Viewer): Promise<Seat>;
}

/** Calls of vbatch and vrun inside attempts, which come as reports. */
export interface HostCalls {
  /** First bytes of a file, or null where there is none to read: for `#VBATCH` lines. While offline this waits. */
  readHead(path: string, length: number): Promise<Buffer | null>;
  /** Connects a vrun's own stdout or stderr to `source`; resolves when all of it has been handed over or nobody reads. */
  feed(call: CallKey, stream: LogStream, source: Readable): Promise<void>;
  /** Ends a call. Answering one twice, or one that is gone, is harmless. */
  answer(call: CallKey, answer: CallAnswer): void;
}

/** The way to the machine. */
export interface HostConnection {
  /** Connects, and reconnects by itself until `close`. */
  open(reports: HostReports): void;
  /** Lets go of the host. Attempts go on (R31). Resolves when the agent has ended. */
  close(): Promise<void>;
  /** What a person has to answer before it can be reached, or null. */
  readonly question: Question | null;
  /**
   * Tries to reach it at once, also where it was let go of, while somebody can answer what is asked.
   * Resolves with null when it is online, or with the first question. Throws why it cannot be reached.
   */
  connect(signal: AbortSignal): Promise<Question | null>;
  /**
   * Answers a question, by null where there is no answer, and resolves as `connect` does with what comes next.
   * Throws `notFound` where it is not open any more.
   */
  answerQuestion(id: string, answer: string | null, signal: AbortSignal): Promise<Question | null>;
  /** Tries to reach it at once, if it is out of reach and not let go of; nobody is asked anything. */
  retry(): void;
  /** Lets go of the host until `connect`, also before `open`. Attempts go on. */
  disconnect(): void;
}

/** The machine itself, for those who look after it. */
export interface HostUpkeep {
  /**
   * Looks at everything that matters on the way to the machine and on it. `configured` is what takes the
   * place of what it is found to have.
   */
  examine(configured: Partial<Shape>, signal: AbortSignal): Promise<Finding[]>;
  /** Removes what the machine keeps and nothing needs any more. Throws `unreachable`. */
  prune(leavings: Leavings): Promise<Pruned>;
}

/**
 * A host as a whole. An order given while it is offline is dropped: after `online` the engine checks every live
 * attempt. Who needs one side of it names that.
 */
export interface Host extends HostAttempts, HostTerminals, HostCalls, HostConnection, HostUpkeep {
  readonly name: string;
  readonly logs: HostLogs;
  /** Null while the host is out of reach, and for this machine, where tasks work in the folders themselves. */
  readonly workspace: HostWorkspace | null;
  /** The login environment, captured once (R34). Waits for the capture. */
  loginEnvironment(): Promise<ReadonlyMap<string, string>>;
}

/** Room on a host as configured or else detected. */
export type Capacity = Shape;
