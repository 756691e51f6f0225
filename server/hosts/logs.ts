/** What attempts have printed, as it lies on this machine: grown by the attempts themselves, or fetched. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { HostPaths } from './files.ts';
import type { AttemptKey, HostLogs, LogStream, LogStretch } from './host.ts';
import { fileSize, readRange } from './localFiles.ts';
import { LogOrder } from './logOrder.ts';
import { LogWatch } from './logWatch.ts';
import type { Site } from './machine.ts';

export type Discard = (keys: readonly AttemptKey[]) => void;

/** The logs of a host's attempts. */
export interface Logs extends HostLogs {
  /** The machine has been reached. By `discard` it can be told that its files of attempts are needed no more. */
  attach(site: Site, discard: Discard): void;
  /** It is out of reach. */
  detach(why: string): void;
  /** The attempt's command runs. */
  started(key: AttemptKey): void;
  /** The attempt writes no more, and has written to these streams alone. */
  ended(key: AttemptKey, written: readonly LogStream[]): void;
  /** Adds to stdout what an attempt has shown in its terminal. */
  append(key: AttemptKey, bytes: Buffer): Promise<void>;
  /** See HostAttempts. */
  settled(key: AttemptKey): void;
  /** Removes what is kept here of these attempts. */
  forget(keys: readonly AttemptKey[]): Promise<void>;
  /** Resolves when all that is known is in files. */
  close(): Promise<void>;
}

/** Logs that attempts write on this machine. */
export class LocalLogs implements Logs {
  private readonly inOrder: LogOrder;
  private readonly looks: LogWatch;

  constructor(
    private readonly paths: HostPaths,
    log: (message: string) => void,
  ) {
    this.inOrder = new LogOrder(paths, log);
    this.looks = new LogWatch(this.inOrder);
  }

  attach(): void {}

  detach(): void {}

  started(key: AttemptKey): void {
    this.looks.started(key);
  }

  ended(key: AttemptKey): void {
    this.inOrder.ended(key);
    this.looks.ended(key);
  }

  size(key: AttemptKey, stream: LogStream): Promise<number> {
    return fileSize(this.paths.log(key, stream));
  }

  async read(key: AttemptKey, stream: LogStream, offset: number, length: number): Promise<Buffer> {
    return (await readRange(this.paths.log(key, stream), offset, length)) ?? Buffer.alloc(0);
  }

  order(key: AttemptKey): Promise<LogStretch[]> {
    // What nobody has looked at yet would be told in one order now and perhaps in another later.
    if (this.looks.isWatched(key)) this.inOrder.note(key);
    return this.inOrder.stretches(key);
  }

  watch(key: AttemptKey, changed: () => void): () => void {
    return this.looks.follow(key, changed);
  }

  async append(key: AttemptKey, bytes: Buffer): Promise<void> {
    // The attempt itself makes the file; whoever else did so would keep it from starting.
    const file = await open(this.paths.log(key, 'stdout'), constants.O_WRONLY | constants.O_APPEND);
    try {
      await file.appendFile(bytes);
    } finally {
      await file.close();
    }
  }

  isWhole(): boolean {
    return true;
  }

  isComplete(): boolean {
    return true;
  }

  settled(): void {}

  /** The machine's files are all that there is. */
  async forget(): Promise<void> {}

  close(): Promise<void> {
    this.looks.close();
    return this.inOrder.close();
  }
}
