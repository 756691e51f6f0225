/** The logs of a host over SSH: read from what the mirror has brought here. */
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SftpClient } from '../../ssh/sftp.ts';
import type { HostPaths } from '../files.ts';
import type { AttemptKey, LogStream, LogStretch } from '../host.ts';
import { fileSize, readRange } from '../localFiles.ts';
import { LogOrder, streams } from '../logOrder.ts';
import type { Discard, Logs } from '../logs.ts';
import type { Site } from '../machine.ts';
import { LogMirror } from './mirror.ts';

/** What follows the key in the names of the files here. */
const suffixes = ['out', 'err', 'order', 'part'];
/** How long attempts are collected before the machine is told to forget them. Milliseconds. */
const discardPause = 200;

export class SshLogs implements Logs {
  private readonly inOrder: LogOrder;
  private readonly mirror: LogMirror;
  private readonly followers = new Map<AttemptKey, Set<() => void>>();
  private sftp: SftpClient | null = null;
  private discard: Discard | null = null;
  /** Attempts whose end is recorded and whose output is not here yet. */
  private readonly awaited = new Set<AttemptKey>();
  /** Attempts whose output is here and whose end is not recorded yet. */
  private readonly arrived = new Set<AttemptKey>();
  private discarded: AttemptKey[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly paths: HostPaths,
    log: (message: string) => void,
  ) {
    this.inOrder = new LogOrder(paths, log);
    this.mirror = new LogMirror(paths, {
      isFollowed: (key) => this.followers.has(key),
      grown: (key) => this.grown(key),
      whole: (key) => this.whole(key),
      log,
    });
  }

  /** The files of the connection that `attach` will be about. */
  use(sftp: SftpClient): void {
    this.sftp = sftp;
  }

  attach(site: Site, discard: Discard): void {
    this.discard = discard;
    if (this.sftp) this.mirror.attach(this.sftp, site.paths);
  }

  detach(): void {
    this.discard = null;
    this.mirror.detach();
  }

  started(key: AttemptKey): void {
    this.mirror.follow(key);
  }

  ended(key: AttemptKey, written: readonly LogStream[]): void {
    this.arrived.delete(key);
    this.mirror.finish(key, written);
  }

  settled(key: AttemptKey): void {
    if (this.arrived.delete(key)) {
      this.discardSoon(key);
      return;
    }
    this.awaited.add(key);
    // What has been fetched and forgotten already is soon found not to be there.
    this.mirror.finish(key, streams);
  }

  /** What is shown in a terminal comes by that alone: on the machine there is nothing for the mirror to fetch. */
  async append(key: AttemptKey, bytes: Buffer): Promise<void> {
    const path = this.paths.log(key, 'stdout');
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await appendFile(path, bytes, { mode: 0o600 });
    this.grown(key);
  }

  isWhole(key: AttemptKey): boolean {
    return this.mirror.isWhole(key);
  }

  isComplete(): boolean {
    return this.mirror.isIdle;
  }

  size(key: AttemptKey, stream: LogStream): Promise<number> {
    return fileSize(this.paths.log(key, stream));
  }

  async read(key: AttemptKey, stream: LogStream, offset: number, length: number): Promise<Buffer> {
    return (await readRange(this.paths.log(key, stream), offset, length)) ?? Buffer.alloc(0);
  }

  order(key: AttemptKey): Promise<LogStretch[]> {
    return this.inOrder.stretches(key);
  }

  watch(key: AttemptKey, changed: () => void): () => void {
    const followers = this.followers.get(key) ?? new Set();
    this.followers.set(key, followers.add(changed));
    this.mirror.hurry(key);
    return () => {
      followers.delete(changed);
      if (followers.size === 0 && this.followers.get(key) === followers) this.followers.delete(key);
    };
  }

  async forget(keys: readonly AttemptKey[]): Promise<void> {
    await Promise.all(keys.map((key) => this.forgetOne(key)));
  }

  async close(): Promise<void> {
    await this.mirror.close();
    if (this.timer) clearTimeout(this.timer);
    await this.inOrder.close();
  }

  private async forgetOne(key: AttemptKey): Promise<void> {
    this.awaited.delete(key);
    this.arrived.delete(key);
    await this.mirror.forget(key);
    this.inOrder.forget(key);
    await Promise.all(suffixes.map((suffix) => rm(`${this.paths.attempt(key)}.${suffix}`, { force: true })));
  }

  private grown(key: AttemptKey): void {
    this.inOrder.note(key);
    this.tell(key);
  }

  private whole(key: AttemptKey): void {
    this.inOrder.ended(key);
    this.tell(key);
    if (this.awaited.delete(key)) this.discardSoon(key);
    else this.arrived.add(key);
  }

  private tell(key: AttemptKey): void {
    for (const changed of this.followers.get(key) ?? []) changed();
  }

  /** Has the machine forget what is kept here. */
  private discardSoon(key: AttemptKey): void {
    this.discarded.push(key);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.discard?.(this.discarded.splice(0));
    }, discardPause);
  }
}
