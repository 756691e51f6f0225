/**
 * Output of attempts on a machine over SSH, pulled to this one while they run. The files here are true
 * prefixes of those there, so their sizes say how far each stream has come: whatever is lost in
 * between, pulling goes on at the next byte.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SftpClient, FileHandle as SftpHandle } from '../../ssh/sftp.ts';
import { SftpError } from '../../ssh/sftpError.ts';
import type { HostPaths } from '../files.ts';
import type { AttemptKey, LogStream } from '../host.ts';
import { streams } from '../logOrder.ts';

/** Time between two looks while somebody looks on, in milliseconds: after growth, and the longest. */
const followed = { shortest: 10, longest: 50 };
/** While nobody does; and before the first look, so that a command that ends soon is looked at once. */
const unfollowed = { first: 50, shortest: 20, longest: 1_000 };
/** Of each attempt, the part of a second for which nobody else is looked at: many are looked at less often each. */
const share = 4;
/** A quiet attempt's pause grows by this factor. */
const slowdown = 1.3;
/** After a failure that is none of the connection's, such as a full disk here. */
const patience = 1_000;
/** What a look asks for, and what is asked for once more has been found. Bytes. */
const glance = 32 * 1024;
const gulp = 1024 * 1024;

export interface MirrorListener {
  /** Whether somebody looks on. */
  isFollowed(key: AttemptKey): boolean;
  /** More has come. */
  grown(key: AttemptKey): void;
  /** All of an ended attempt's output is here, on disk. */
  whole(key: AttemptKey): void;
  log(message: string): void;
}

interface Pulled {
  /** The streams in which there is anything to look for. */
  streams: readonly LogStream[];
  ended: boolean;
  /** Whether anything has been looked for. */
  begun: boolean;
  /** Cuts a pause short. */
  wake: () => void;
  /** Which connection it is being pulled over; null for none. */
  over: SftpClient | null;
  /** Resolves when the last pulling has let go of the files here. */
  free: Promise<void>;
}

/** One stream on its way. */
interface Flow {
  theirs: SftpHandle;
  ours: FileHandle;
  at: number;
}

interface Source {
  sftp: SftpClient;
  paths: HostPaths;
}

export class LogMirror {
  private readonly pulled = new Map<AttemptKey, Pulled>();
  private theirs: Source | null = null;

  constructor(
    private readonly paths: HostPaths,
    private readonly listener: MirrorListener,
  ) {}

  attach(sftp: SftpClient, paths: HostPaths): void {
    this.theirs = { sftp, paths };
    for (const [key, entry] of this.pulled) this.start(key, entry);
  }

  detach(): void {
    this.theirs = null;
    for (const entry of this.pulled.values()) entry.wake();
  }

  /** Pulls nothing more. Resolves when no file here is being written. */
  async close(): Promise<void> {
    this.detach();
    await Promise.all([...this.pulled.values()].map((entry) => entry.free));
  }

  /** Pulls what the attempt writes from now on. */
  follow(key: AttemptKey): void {
    if (!this.pulled.has(key)) this.start(key, this.enter(key));
  }

  /** Pulls what there is of an attempt that writes no more, which is nothing but in these streams. */
  finish(key: AttemptKey, written: readonly LogStream[]): void {
    const entry = this.pulled.get(key) ?? this.enter(key);
    if (entry.ended) return;
    entry.ended = true;
    entry.streams = written;
    if (written.length === 0 && !entry.begun) {
      this.conclude(key, entry);
      return;
    }
    this.mark(key);
    this.start(key, entry);
    entry.wake();
  }

  /** Looks soon. */
  hurry(key: AttemptKey): void {
    this.pulled.get(key)?.wake();
  }

  /** Whether nothing of the attempt's output is still to come. */
  isWhole(key: AttemptKey): boolean {
    return !this.pulled.has(key) && !existsSync(this.partMark(key));
  }

  /** Whether there is nothing to pull. */
  get isIdle(): boolean {
    return this.pulled.size === 0;
  }

  /** Resolves when nothing more of the attempt is written here. */
  async forget(key: AttemptKey): Promise<void> {
    const entry = this.pulled.get(key);
    this.pulled.delete(key);
    entry?.wake();
    await entry?.free;
  }

  private enter(key: AttemptKey): Pulled {
    const entry: Pulled = {
      streams,
      ended: false,
      begun: false,
      wake: () => {},
      over: null,
      free: Promise.resolve(),
    };
    this.pulled.set(key, entry);
    return entry;
  }

  private partMark(key: AttemptKey): string {
    return `${this.paths.attempt(key)}.part`;
  }

  /** Says on disk that more is to come, before the end is recorded: a server that takes over must know. */
  private mark(key: AttemptKey): void {
    const path = this.partMark(key);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, '', { mode: 0o600 });
    } catch (error) {
      this.listener.log(`Fetching the output of attempt ${key}: ${(error as Error).message}`);
    }
  }

  private start(key: AttemptKey, entry: Pulled): void {
    const { theirs } = this;
    if (!theirs || entry.over === theirs.sftp) return;
    entry.over = theirs.sftp;
    entry.free = entry.free
      .then(() => this.pull(key, entry, theirs))
      .catch((error: Error) => this.listener.log(`Fetching the output of attempt ${key}: ${error.message}`));
  }

  /** Pulls until the end or until the connection is lost. */
  private async pull(key: AttemptKey, entry: Pulled, theirs: Source): Promise<void> {
    const isCurrent = () => this.theirs === theirs && this.pulled.get(key) === entry;
    while (isCurrent()) {
      const flows = new Map<LogStream, Flow>();
      try {
        if (await this.pullFlows(key, entry, theirs, flows, isCurrent))
          await this.complete(key, entry, flows);
      } catch (error) {
        if (!isCurrent()) return;
        this.listener.log(`Fetching the output of attempt ${key}: ${(error as Error).message}`);
        await this.pause(entry, patience);
      } finally {
        for (const { theirs: handle, ours } of flows.values()) {
          await ours.close();
          theirs.sftp.close(handle).catch(() => {});
        }
      }
    }
  }

  /** True once all of an ended attempt is here, false where there is no more reason to go on. */
  private async pullFlows(
    key: AttemptKey,
    entry: Pulled,
    { sftp, paths }: Source,
    flows: Map<LogStream, Flow>,
    isCurrent: () => boolean,
  ): Promise<boolean> {
    let pause = Math.max(unfollowed.first, this.pulled.size * share);
    if (this.listener.isFollowed(key)) pause = followed.shortest;
    for (;;) {
      if (!entry.ended) await this.pause(entry, pause);
      if (!isCurrent()) return false;
      entry.begun = true;
      const { ended } = entry;
      const looks = await Promise.allSettled(
        entry.streams.map(async (stream) => {
          const flow = flows.get(stream) ?? (await this.openFlow(sftp, paths, key, stream));
          if (flow) flows.set(stream, flow);
          return flow !== null && (await advance(sftp, flow, ended));
        }),
      );
      const grown = looks.some((look) => look.status === 'fulfilled' && look.value);
      if (grown && isCurrent()) this.listener.grown(key);
      for (const look of looks) if (look.status === 'rejected') throw look.reason;
      if (ended) return isCurrent();
      pause = this.pauseAfter(key, grown ? 0 : pause * slowdown);
    }
  }

  private pauseAfter(key: AttemptKey, wanted: number): number {
    if (this.listener.isFollowed(key)) {
      return Math.min(Math.max(wanted, followed.shortest), followed.longest);
    }
    const least = this.pulled.size * share;
    return Math.max(least, Math.min(Math.max(wanted, unfollowed.shortest), unfollowed.longest));
  }

  private async complete(key: AttemptKey, entry: Pulled, flows: ReadonlyMap<LogStream, Flow>): Promise<void> {
    // The machine may forget them after this.
    for (const { ours, at } of flows.values()) if (at > 0) await ours.datasync();
    await rm(this.partMark(key), { force: true });
    if (this.pulled.get(key) === entry) this.conclude(key, entry);
  }

  private conclude(key: AttemptKey, entry: Pulled): void {
    this.pulled.delete(key);
    entry.wake();
    this.listener.whole(key);
  }

  private async openFlow(
    sftp: SftpClient,
    paths: HostPaths,
    key: AttemptKey,
    stream: LogStream,
  ): Promise<Flow | null> {
    let theirs: SftpHandle;
    try {
      theirs = await sftp.open(paths.log(key, stream), 'r');
    } catch (error) {
      // It has written nothing yet, or never will.
      if (error instanceof SftpError && error.code === 'ENOENT') return null;
      throw error;
    }
    const ours = await openOurs(this.paths.log(key, stream));
    return { theirs, ours, at: (await ours.stat()).size };
  }

  private pause(entry: Pulled, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      entry.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Opens a file here to append to it. */
async function openOurs(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, 'a', 0o600);
  }
}

/** Takes all that is there, or without `last` perhaps only the beginning. False where that is nothing. */
async function advance(sftp: SftpClient, flow: Flow, last: boolean): Promise<boolean> {
  const before = flow.at;
  // In one go: over a long way it is the turns that take time.
  const [bytes, status] = await Promise.all([
    sftp.readOnce(flow.theirs, flow.at, glance),
    last ? sftp.fstat(flow.theirs) : null,
  ]);
  await take(flow, bytes);
  let more = status === null ? bytes.length === glance : flow.at !== status.size;
  while (more) {
    const rest = await sftp.read(flow.theirs, flow.at, gulp);
    await take(flow, rest);
    more = rest.length === gulp;
  }
  return flow.at > before;
}

async function take(flow: Flow, bytes: Buffer): Promise<void> {
  if (bytes.length > 0) await flow.ours.appendFile(bytes);
  flow.at += bytes.length;
}
