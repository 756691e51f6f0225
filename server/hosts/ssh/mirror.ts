/**
 * Output of attempts on a machine over SSH, pulled to this one while they run. The files here are true
 * prefixes of those there, so their sizes say how far each stream has come: whatever is lost in
 * between, pulling goes on at the next byte.
 */
import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SftpClient, FileHandle as SftpHandle } from '../../ssh/sftp.ts';
import { SftpError } from '../../ssh/sftpError.ts';
import type { HostPaths } from '../files.ts';
import type { AttemptKey, LogStream } from '../host.ts';

const streams = ['stdout', 'stderr'] as const;

/** Time between two looks, in milliseconds: after growth, and the longest, with and without a follower. */
const shortest = 10;
const longestFollowed = 50;
const longest = 1_000;
/** A quiet attempt's pause grows by this factor. */
const slowdown = 1.3;
/** After a failure that is none of the connection's, such as a full disk here. */
const patience = 1_000;
/** What a look asks for, and what is asked for once more has been found. Bytes. */
const glance = 32 * 1024;
const gulp = 1024 * 1024;

interface Pulled {
  ended: boolean;
  followers: number;
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

export class LogMirror {
  private readonly pulled = new Map<AttemptKey, Pulled>();
  private theirs: { sftp: SftpClient; paths: HostPaths } | null = null;

  constructor(
    private readonly paths: HostPaths,
    /** All of an ended attempt's output is here, on disk. */
    private readonly whole: (key: AttemptKey) => void,
    private readonly log: (message: string) => void,
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
  follow(key: AttemptKey, ended: boolean): void {
    const known = this.pulled.get(key);
    const entry = known ?? { ended, followers: 0, wake: () => {}, over: null, free: Promise.resolve() };
    entry.ended ||= ended;
    this.pulled.set(key, entry);
    if (!known) this.start(key, entry);
    else if (ended) entry.wake();
  }

  /** Somebody looks on; returns the way to look away. */
  watch(key: AttemptKey): () => void {
    const entry = this.pulled.get(key);
    if (!entry) return () => {};
    entry.followers += 1;
    entry.wake();
    return () => {
      entry.followers -= 1;
    };
  }

  /** Whether nothing of the attempt's output is still to come. */
  isWhole(key: AttemptKey): boolean {
    return !this.pulled.has(key) && !existsSync(this.partMark(key));
  }

  forget(key: AttemptKey): void {
    const entry = this.pulled.get(key);
    this.pulled.delete(key);
    entry?.wake();
  }

  private partMark(key: AttemptKey): string {
    return `${this.paths.attempt(key)}.part`;
  }

  private start(key: AttemptKey, entry: Pulled): void {
    const { theirs } = this;
    if (!theirs || entry.over === theirs.sftp) return;
    entry.over = theirs.sftp;
    entry.free = entry.free
      .then(() => this.pull(key, entry, theirs))
      .catch((error: Error) => this.log(`Fetching the output of attempt ${key}: ${error.message}`));
  }

  /** Pulls until the end or until the connection is lost. */
  private async pull(key: AttemptKey, entry: Pulled, theirs: { sftp: SftpClient; paths: HostPaths }) {
    const isCurrent = () => this.theirs === theirs && this.pulled.get(key) === entry;
    while (isCurrent()) {
      const flows = new Map<LogStream, Flow>();
      try {
        await this.mark(key);
        if (await this.pullFlows(key, entry, theirs, flows, isCurrent))
          await this.complete(key, entry, flows);
      } catch (error) {
        if (!isCurrent()) return;
        this.log(`Fetching the output of attempt ${key}: ${(error as Error).message}`);
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
    { sftp, paths }: { sftp: SftpClient; paths: HostPaths },
    flows: Map<LogStream, Flow>,
    isCurrent: () => boolean,
  ): Promise<boolean> {
    let pause = shortest;
    while (isCurrent()) {
      const { ended } = entry;
      const looks = await Promise.allSettled(
        streams.map(async (stream) => {
          const flow = flows.get(stream) ?? (await this.openFlow(sftp, paths, key, stream));
          if (flow) flows.set(stream, flow);
          return flow !== null && (await advance(sftp, flow));
        }),
      );
      for (const look of looks) if (look.status === 'rejected') throw look.reason;
      if (ended) return isCurrent();
      const limit = entry.followers > 0 ? longestFollowed : longest;
      const grown = looks.some((look) => look.status === 'fulfilled' && look.value);
      pause = grown ? shortest : Math.min(pause * slowdown, limit);
      await this.pause(entry, pause);
    }
    return false;
  }

  /** Says on disk that more is to come: a server that takes over must know. */
  private async mark(key: AttemptKey): Promise<void> {
    const path = this.partMark(key);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, '', { mode: 0o600 });
  }

  private async complete(key: AttemptKey, entry: Pulled, flows: ReadonlyMap<LogStream, Flow>): Promise<void> {
    // The machine may forget them after this.
    for (const { ours, at } of flows.values()) if (at > 0) await ours.datasync();
    await rm(this.partMark(key), { force: true });
    if (this.pulled.get(key) !== entry) return;
    this.pulled.delete(key);
    this.whole(key);
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
    const ours = await open(this.paths.log(key, stream), 'a', 0o600);
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

/** Takes all that is there. False where that is nothing. */
async function advance(sftp: SftpClient, flow: Flow): Promise<boolean> {
  const before = flow.at;
  for (let size = glance; ; size = gulp) {
    const bytes = await sftp.read(flow.theirs, flow.at, size);
    if (bytes.length > 0) await flow.ours.appendFile(bytes);
    flow.at += bytes.length;
    if (bytes.length < size) return flow.at > before;
  }
}
