/** The logs of a host over SSH: read from what the mirror has brought here. */
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SftpClient } from '../../ssh/sftp.ts';
import type { HostPaths } from '../files.ts';
import type { AttemptKey, LogStream, LogStretch } from '../host.ts';
import { type Discard, LocalLogs, type Logs } from '../logs.ts';
import type { Site } from '../machine.ts';
import { LogMirror } from './mirror.ts';

/** What follows the key in the names of the files here. */
const suffixes = ['out', 'err', 'order', 'part'];
/** How long attempts are collected before the machine is told to forget them. Milliseconds. */
const discardPause = 200;

export class SshLogs implements Logs {
  private readonly here: LocalLogs;
  private readonly mirror: LogMirror;
  private sftp: SftpClient | null = null;
  private discard: Discard | null = null;
  /** Attempts whose end is recorded and whose output is not here yet. */
  private readonly awaited = new Set<AttemptKey>();
  private discarded: AttemptKey[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly paths: HostPaths,
    log: (message: string) => void,
  ) {
    this.here = new LocalLogs(paths, log);
    this.mirror = new LogMirror(paths, (key) => this.arrived(key), log);
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
    this.here.started(key);
    this.mirror.follow(key, false);
  }

  ended(key: AttemptKey): void {
    // What has been fetched and forgotten already is soon found not to be there.
    this.mirror.follow(key, true);
  }

  settled(key: AttemptKey): void {
    this.awaited.add(key);
    this.mirror.follow(key, true);
  }

  /** What is shown in a terminal comes by that alone: on the machine there is nothing for the mirror to fetch. */
  async append(key: AttemptKey, bytes: Buffer): Promise<void> {
    const path = this.paths.log(key, 'stdout');
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await appendFile(path, bytes, { mode: 0o600 });
  }

  isWhole(key: AttemptKey): boolean {
    return this.mirror.isWhole(key);
  }

  size(key: AttemptKey, stream: LogStream): Promise<number> {
    return this.here.size(key, stream);
  }

  read(key: AttemptKey, stream: LogStream, offset: number, length: number): Promise<Buffer> {
    return this.here.read(key, stream, offset, length);
  }

  order(key: AttemptKey): Promise<LogStretch[]> {
    return this.here.order(key);
  }

  watch(key: AttemptKey, changed: () => void): () => void {
    const stops = [this.here.watch(key, changed), this.mirror.watch(key)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async forget(keys: readonly AttemptKey[]): Promise<void> {
    for (const key of keys) {
      this.mirror.forget(key);
      this.awaited.delete(key);
      await Promise.all(
        suffixes.map((suffix) => rm(`${this.paths.attempt(key)}.${suffix}`, { force: true })),
      );
    }
  }

  async close(): Promise<void> {
    await this.mirror.close();
    if (this.timer) clearTimeout(this.timer);
    await this.here.close();
  }

  private arrived(key: AttemptKey): void {
    this.here.ended(key);
    if (!this.awaited.delete(key)) return;
    this.discarded.push(key);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.discard?.(this.discarded.splice(0));
    }, discardPause);
  }
}
