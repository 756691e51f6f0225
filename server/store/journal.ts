/**
 * The journal: every event, in order, on disk before anything follows from it. Append-only files of
 * lines (lines.ts), each named by its first event. What arrives while one write is on its way to the
 * disk goes there together with the next, so there is one sync for many events and no timer.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { VbatchError } from '../protocol/errors.ts';
import { realTimers, type Timers } from '../timers.ts';
import { isDiskFull, sequencePath, syncFolder } from './files.ts';
import { encodeHeader, encodeLine } from './lines.ts';

/** What the journal does with a file; a test may put a failing disk in its place. */
export type JournalFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'close'>;

export interface JournalOptions {
  folder: string;
  /** Sequence of the last event that the folder holds; 0 for none. */
  last: number;
  /** Told, in a sentence, when the disk is full and when there is room again. */
  report: (message: string) => void;
  /** Creates the file, or empties it: a segment of this name holds no event yet. */
  createFile?: (path: string) => Promise<JournalFile>;
  timers?: Timers;
}

/** Most characters of one write, unless one event is longer: encoding them takes some milliseconds. */
const BATCH_SIZE = 4 * 1024 * 1024;
const RETRY_MILLISECONDS = 1000;

/** Events that become durable together. */
class Batch {
  readonly lines: string[] = [];
  size = 0;
  /** Nothing may be added any more. */
  sealed = false;
  settle: (error: Error | null) => void = () => {};
  readonly durable = new Promise<void>((resolve, reject) => {
    this.settle = (error) => (error === null ? resolve() : reject(error));
  });

  constructor(
    readonly first: number,
    readonly opensSegment: boolean,
  ) {
    // Whoever waits learns of a failure; that nobody waits is no failure of its own.
    this.durable.catch(() => {});
  }
}

export class Journal<Event> {
  /** Characters appended since the journal was opened. */
  size = 0;
  private next: number;
  /** In order. The first one is being written, or is the next to be. */
  private readonly batches: Batch[] = [];
  private running = false;
  private file: JournalFile | null = null;
  private segment = 0;
  /** Where the last durable line of `file` ends, in bytes. */
  private offset = 0;
  private full: VbatchError | null = null;
  private failed: VbatchError | null = null;
  private patient = true;
  private endPause: () => void = () => {};

  constructor(private readonly options: JournalOptions) {
    this.next = options.last + 1;
  }

  /** Sequence of the last event that was appended, durable or not. */
  get sequence(): number {
    return this.next - 1;
  }

  /** Why nothing becomes durable at present: `diskFull` may pass, `stateFailed` is for ever. */
  get problem(): VbatchError | null {
    return this.failed ?? this.full;
  }

  /**
   * Takes the event as it is at this moment. Returns its sequence, one more than the last. A full
   * disk does not keep it from taking events. Throws once the journal has failed or is closed.
   */
  append(event: Event): number {
    if (this.failed !== null) throw this.failed;
    const line = encodeLine(`[${this.next},${JSON.stringify(event)}]`);
    const batch = this.openBatch();
    batch.lines.push(line);
    batch.size += line.length;
    this.size += line.length;
    this.start();
    return this.next++;
  }

  /** Resolves when this event is safe on the disk; rejects once it can never be. */
  async durable(sequence: number): Promise<void> {
    await this.batches.findLast((batch) => batch.first <= sequence)?.durable;
  }

  /** Begins a new segment after the events so far; resolves when it exists and they are durable. */
  async rotate(): Promise<void> {
    if (this.failed !== null) throw this.failed;
    const batch = this.addBatch(true);
    this.start();
    await batch.durable;
  }

  /** From now on a full disk is a failure instead of something to wait for. */
  endPatience(): void {
    this.patient = false;
    this.endPause();
  }

  /** Takes no more events. Resolves when all are durable; rejects when some cannot be. */
  async close(): Promise<void> {
    this.endPatience();
    const problem = await this.batches.at(-1)?.durable.then(
      () => null,
      () => this.failed,
    );
    this.failed ??= new VbatchError('stateFailed', `The journal in ${this.options.folder} is closed.`);
    await this.file?.close();
    this.file = null;
    if (problem) throw problem;
  }

  private openBatch(): Batch {
    const last = this.batches.at(-1);
    if (last === undefined) return this.addBatch(this.file === null);
    return last.sealed || last.size >= BATCH_SIZE ? this.addBatch(false) : last;
  }

  private addBatch(opensSegment: boolean): Batch {
    const batch = new Batch(this.next, opensSegment);
    this.batches.push(batch);
    return batch;
  }

  private start(): void {
    this.endPause();
    if (this.running) return;
    this.running = true;
    // What else arrives in this turn of the event loop shares the write.
    setImmediate(() => void this.run());
  }

  private async run(): Promise<void> {
    try {
      for (let batch = this.batches[0]; batch !== undefined; batch = this.batches[0]) {
        batch.sealed = true;
        await this.commit(batch);
        this.batches.shift();
        batch.settle(null);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.running = false;
    }
  }

  private async commit(batch: Batch): Promise<void> {
    const header = batch.opensSegment ? encodeHeader('journal', {}) : '';
    const bytes = Buffer.from(header + batch.lines.join(''));
    let file = await this.tryWrite(batch, bytes);
    while (file === null) {
      if (!this.patient) throw stoppedWhileFull(this.options.folder);
      await this.pause();
      file = await this.tryWrite(batch, bytes);
    }
    await file.datasync();
    if (batch.opensSegment) await syncFolder(this.options.folder);
    this.offset += bytes.length;
    if (this.full === null) return;
    this.full = null;
    this.options.report(`There is room again in ${this.options.folder}: nothing was lost.`);
  }

  /** Writes the batch at the end of its segment; null, and no part of it there, if the disk is full. */
  private async tryWrite(batch: Batch, bytes: Buffer): Promise<JournalFile | null> {
    try {
      const file = await this.segmentFor(batch);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, this.offset + done);
        done += bytesWritten;
      }
      return file;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.noteFullDisk(error);
      return null;
    }
  }

  private async segmentFor(batch: Batch): Promise<JournalFile> {
    if (this.file === null || (batch.opensSegment && batch.first !== this.segment)) {
      await this.file?.close();
      this.file = null;
      this.file = await (this.options.createFile ?? createFile)(
        sequencePath(this.options.folder, batch.first),
      );
      this.segment = batch.first;
      this.offset = 0;
    }
    return this.file;
  }

  private async noteFullDisk(cause: unknown): Promise<void> {
    if (this.full === null) {
      this.full = new VbatchError(
        'diskFull',
        `No room to record anything in ${this.options.folder} (${describe(cause)}). Free some space there: what is waiting is written as soon as that is possible.`,
      );
      this.options.report(this.full.message);
    }
    try {
      await this.file?.truncate(this.offset);
    } catch (error) {
      // Some file systems need room even for this. The next attempt writes over what is there.
      if (!isDiskFull(error)) throw error;
    }
  }

  /** Ends after a second, or with the next event. */
  private async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = (this.options.timers ?? realTimers).after(RETRY_MILLISECONDS, resolve);
      this.endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  private fail(error: unknown): void {
    this.failed =
      error instanceof VbatchError
        ? error
        : new VbatchError(
            'stateFailed',
            `Writing the journal in ${this.options.folder} failed (${describe(error)}). What was acknowledged is safe; nothing more is recorded. Check the disk, then restart the server.`,
          );
    for (const batch of this.batches) batch.settle(this.failed);
  }
}

async function createFile(path: string): Promise<JournalFile> {
  return await open(path, 'w', 0o600);
}

function stoppedWhileFull(folder: string): VbatchError {
  return new VbatchError(
    'diskFull',
    `The server was stopped while there was no room in ${folder}: what it had not acknowledged by then is not recorded. Free some space there before it starts again.`,
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
