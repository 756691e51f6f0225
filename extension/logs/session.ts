/**
 * One log as a document shows it: a window of it, which grows at its end while the task runs, or stands still
 * somewhere in between. Never more of a log than that is read or held.
 */
import { LogLines, type Stream } from '../../logtext/lines.ts';
import { VbatchError } from '../../server/protocol/errors.ts';
import type { LogPlace } from '../../server/protocol/logQueries.ts';
import type { LogChunk } from '../../server/protocol/logs.ts';

/** Bytes that are read to begin with, and that earlier and later parts add. */
export const partSize = 256 * 1024;
/** UTF-16 units above which a window that grows loses half of it at its top. */
export const largest = 2 * partSize;
/**
 * A document above this size is replaced as a whole when it changes (VS Code compares no more), which moves what
 * somebody reads. So where the end is not followed, a window grows up to this size and no further.
 */
export const largestCompared = 90_000;

/** Where logs come from: the client of the server. */
export interface LogSource {
  place(position?: number): Promise<LogPlace>;
  read(before: LogPlace['before'], length: number, signal: AbortSignal): AsyncIterable<LogChunk>;
  /** Until the attempt is over. */
  follow(before: LogPlace['before'], signal: AbortSignal): AsyncIterable<LogChunk>;
}

export class LogSession {
  /** Where the window begins and ends in the log, in bytes, and how large that is as far as is known. */
  begin = 0;
  end = 0;
  size = 0;
  /** What was known of the attempt last. */
  over = false;
  whole = true;
  /** Why it cannot be read, where that is so. */
  failure: string | null = null;
  /** Whether the window grows with the log, at its end. */
  growing = false;
  /** Whether the end is looked at, so that the window may lose lines at its top. */
  following = true;
  /** Whether there is more at the end than a window may hold whose end is not followed. */
  held = false;
  /** Where the window was asked to begin last; negative: from the end. */
  private asked = -partSize;
  private model = new LogLines();
  private work = new AbortController();
  private wake: () => void = () => {};

  /**
   * @param changed called whenever any of this is another.
   * @param rest resolves after a moment: between two parts of a log that is written fast, others have their turn.
   */
  constructor(
    private readonly source: LogSource,
    private readonly changed: () => void,
    private readonly rest: () => Promise<void>,
  ) {}

  get lines(): LogLines {
    return this.model;
  }

  /** Whether there is more below the window that does not come by itself. */
  get hasLater(): boolean {
    return (!this.growing || this.held) && this.end < this.size;
  }

  /** Shows the end, and what is written from now on. Resolves when what there is has been read. */
  async showEnd(): Promise<void> {
    await this.show(-partSize, partSize);
  }

  /** Shows the part around a position, which is looked at from now on. */
  async showAround(position: number): Promise<void> {
    await this.showFrom(position - partSize / 2);
  }

  /** Shows what comes before the window, and most of the window. */
  async showEarlier(): Promise<void> {
    await this.showFrom(this.begin - partSize);
  }

  /** Shows what comes after the window, up to the end, from where it grows on. */
  async showLater(): Promise<void> {
    if (this.end + partSize >= this.size) await this.showEnd();
    else await this.showFrom(this.end - partSize);
  }

  /** The end is looked at, or not any more. */
  setFollowing(following: boolean): void {
    const isThere = !following || this.growing || this.failure !== null;
    if (this.following === following && isThere) return;
    this.following = following;
    if (following) this.held = false;
    this.wake();
    this.changed();
    if (!isThere) void this.showEnd();
  }

  /** Tries once more what has failed. */
  async retry(): Promise<void> {
    if (this.failure === null) return;
    if (this.following) await this.showEnd();
    else await this.show(this.asked, 2 * partSize);
  }

  close(): void {
    this.work.abort();
    this.wake();
  }

  /** The line that shows this position, or null where the window does not hold it. */
  lineAt(position: number, stream: Stream): number | null {
    if (position < this.begin || position >= this.end) return null;
    let found: number | null = null;
    for (const [at, line] of this.model.lines.entries()) {
      if (line.stream === stream && line.position <= position) found = at;
    }
    return found;
  }

  private async showFrom(position: number): Promise<void> {
    this.following = false;
    await this.show(Math.max(0, position), 2 * partSize);
  }

  /** Shows so many bytes from a position on, and what is written from now on where that reaches the end. */
  private async show(position: number, length: number): Promise<void> {
    const signal = this.restart();
    this.asked = position;
    await this.attempt(signal, async () => {
      const place = await this.placeAt(position);
      if (signal.aborted) return;
      const reached = await this.load(place, length, signal);
      if (signal.aborted || (position >= 0 && this.end < this.size)) return;
      this.growing = true;
      void this.attempt(signal, () => this.grow(reached, signal));
    });
    this.changed();
  }

  private restart(): AbortSignal {
    this.close();
    this.work = new AbortController();
    this.growing = false;
    this.held = false;
    this.failure = null;
    return this.work.signal;
  }

  /** Does some reading, and keeps why it failed. */
  private async attempt(signal: AbortSignal, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof VbatchError)) throw error;
      this.failure = error.message;
      this.growing = false;
      this.changed();
    }
  }

  private async placeAt(position?: number): Promise<LogPlace> {
    const place = await this.source.place(position);
    this.over = place.over;
    this.whole = place.whole;
    this.size = place.size.stdout + place.size.stderr;
    return place;
  }

  /** Begins a new window, with what there is of it. Resolves with how far that is in each stream. */
  private async load(
    { before, position, size }: LogPlace,
    length: number,
    signal: AbortSignal,
  ): Promise<LogPlace['before']> {
    const reached = { ...before };
    // For more than there is the server would wait, or fail, where the rest is still on its host.
    const there = Math.min(length, size.stdout + size.stderr - position);
    const lines = new LogLines({ stdout: before.stdout > 0, stderr: before.stderr > 0 });
    let at = position;
    for await (const { stream, data } of this.source.read(before, there, signal)) {
      lines.write(stream, data, at);
      reached[stream] += data.length;
      at += data.length;
    }
    if (signal.aborted) return reached;
    this.model = lines;
    this.begin = lines.lines[0]?.position ?? position;
    if (position === 0) this.begin = 0;
    this.end = at;
    this.size = Math.max(this.size, at);
    this.changed();
    return reached;
  }

  private async grow(before: LogPlace['before'], signal: AbortSignal): Promise<void> {
    let unchecked = 0;
    for await (const { stream, data } of this.source.follow(before, signal)) {
      await this.room(data.length, signal);
      if (signal.aborted) return;
      this.model.write(stream, data, this.end);
      this.end += data.length;
      this.size = Math.max(this.size, this.end);
      if (this.model.length > largest && this.model.trim(largest / 2) > 0) {
        this.begin = this.model.lines[0]?.position ?? this.end;
      }
      this.changed();
      unchecked += data.length;
      if (unchecked < partSize) continue;
      unchecked = 0;
      await this.rest();
      if (signal.aborted) return;
      // Whoever writes faster than anybody reads is not read as a whole.
      await this.placeAt();
      if (!signal.aborted && this.size - this.end > largest) {
        void this.showEnd();
        return;
      }
    }
    if (signal.aborted) return;
    await this.placeAt();
    this.changed();
  }

  /** Resolves when so much more may be shown. */
  private async room(length: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.following && this.model.length + length > largestCompared) {
      if (!this.held) {
        this.held = true;
        this.changed();
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
