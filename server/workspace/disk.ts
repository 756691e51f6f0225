/** What workers do on the file system, so that neither a large folder nor a large file keeps the server busy. */
import { Worker } from 'node:worker_threads';
import { decodeBytes, encodeBytes } from '../protocol/bytes.ts';

export interface FoundFile {
  readonly kind: 'file';
  readonly size: number;
  readonly executable: boolean;
  /** Another one whenever the contents are others: size, times and inode. */
  readonly signature: string;
  /** Its last change was so long ago that the next one gives it another signature. */
  readonly isSettled: boolean;
}

/** What is at a path. Links are not followed; their target has a character per byte. */
export type Found =
  | FoundFile
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder' }
  | { readonly kind: 'special'; readonly what: 'socket' | 'FIFO' | 'device' }
  | { readonly kind: 'gone' }
  /** `why` is the system's code, such as EACCES. */
  | { readonly kind: 'denied'; readonly why: string };

export interface ReadFile extends FoundFile {
  readonly hash: string;
}

/** A file that changed whenever it was read, with what was read last: perhaps a bit of this and a bit of that. */
export interface BusyFile {
  readonly kind: 'busy';
  readonly size: number;
  readonly executable: boolean;
  readonly hash: string;
}

/** What was read at a path. */
export type Read = ReadFile | Exclude<Found, FoundFile> | BusyFile;

/** Blocks that follow each other, by the number of the first. */
export interface BlockRun {
  readonly from: number;
  readonly count: number;
}

export interface Differences {
  readonly runs: readonly BlockRun[];
  /** Of all that is in them, one after the other. */
  readonly bytes: number;
  readonly hash: string;
}

/** A name has a character per byte. */
export type Listed = Found & { readonly name: string };

/** What is in a folder, in the order of the bytes of names. */
export interface Listing {
  readonly entries: Listed[];
  /** Another one whenever the entries are others. */
  readonly digest: string;
}

interface Message {
  id: number;
  part?: Listed[];
  value?: unknown;
  error?: { code?: string; syscall?: string; message: string };
}

interface Job {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  onPart: (part: Listed[]) => void;
}

interface Line {
  worker: Worker;
  jobs: Map<number, Job>;
}

/** Paths are absolute, and strings as `protocol/bytes.ts` has them. */
export class Disk {
  readonly #lines: Line[] = [];
  #lastId = 0;
  #isClosed = false;

  /** @param workers the most that may run at once */
  constructor(readonly workers: number) {}

  /** What is in a folder. Null where it is no folder, or was replaced meanwhile. */
  async list(folder: string): Promise<Listing | null> {
    const parts: Listed[][] = [];
    const digest = (await this.#ask('list', { folder: latin1(folder) }, (part) => parts.push(part))) as
      | string
      | null;
    return digest === null ? null : { entries: parts.flat(), digest };
  }

  /** Which of these folders, by their places in the list, hold something else now than when they had this digest. */
  async changed(folders: readonly { path: string; digest: string }[]): Promise<number[]> {
    const request = folders.map(({ path, digest }) => ({ folder: latin1(path), digest }));
    return (await this.#ask('changed', { folders: request })) as number[];
  }

  /** What is at these paths. No file is read. */
  async look(paths: readonly string[]): Promise<Found[]> {
    return (await this.#ask('look', { paths: paths.map(latin1) })) as Found[];
  }

  /** Reads files and says what each holds, at one time if it can be; of anything else, what it is. */
  async hash(paths: readonly string[]): Promise<Read[]> {
    return (await this.#ask('hash', { paths: paths.map(latin1) })) as Read[];
  }

  /**
   * Copies files into the folder of a content store, each as what it holds at one time if it can be, under its hash.
   *
   * @param expected about how many bytes they have
   * @param temporary path for a copy in the making, in the same file system
   */
  async keep(paths: readonly string[], expected: number, temporary: string, folder: string): Promise<Read[]> {
    const request = {
      paths: paths.map(latin1),
      expected,
      temporary: latin1(temporary),
      folder: latin1(folder),
    };
    return (await this.#ask('keep', request)) as Read[];
  }

  /**
   * Moves a file of ours into the folder of a content store, if it has this hash, or null for any. It is gone from
   * its place in any case.
   */
  async adopt(path: string, hash: string | null, folder: string): Promise<Read> {
    return (await this.#ask('adopt', { path: latin1(path), hash, folder: latin1(folder) })) as Read;
  }

  /** Puts contents into the folder of a content store and gives their hashes; `temporary` as for `keep`. */
  async put(contents: readonly Uint8Array[], temporary: string, folder: string): Promise<string[]> {
    const request = { contents, temporary: latin1(temporary), folder: latin1(folder) };
    return (await this.#ask('put', request)) as string[];
  }

  /** Throws ENOSPC, as what stores does, where so many bytes more in a folder would leave too little free. */
  async makeSure(folder: string, bytes: number): Promise<void> {
    await this.#ask('makeSure', { folder: latin1(folder), bytes });
  }

  /** What small files of ours hold. */
  async take(paths: readonly string[]): Promise<Uint8Array[]> {
    return (await this.#ask('take', { paths: paths.map(latin1) })) as Uint8Array[];
  }

  /** The hashes of the blocks of a file, each of `size` bytes but for the last. */
  async blocks(path: string, size: number): Promise<string[]> {
    return (await this.#ask('blocks', { path: latin1(path), size })) as string[];
  }

  /** What of the blocks of the file `after` the file `before` does not have at the same place. */
  async compare(before: string, after: string, size: number): Promise<Differences> {
    return (await this.#ask('compare', {
      before: latin1(before),
      after: latin1(after),
      size,
    })) as Differences;
  }

  /**
   * Gives a file the name of another one or of a link, if that is still what was read there. It looks right
   * before it does so, which is as close as a file system lets one come.
   */
  async exchange(from: string, to: string, before: Read): Promise<boolean> {
    return (await this.#ask('exchange', { from: latin1(from), to: latin1(to), before })) as boolean;
  }

  /** Has files of ours, and the names in folders, written to the disk itself. */
  async sync(files: readonly string[], folders: readonly string[]): Promise<void> {
    await this.#ask('sync', { files: files.map(latin1), folders: folders.map(latin1) });
  }

  /**
   * Has all of a file system written to its disk, which for many files is much sooner done than one after the other.
   * False where that cannot be done.
   *
   * @param path of any file in it
   */
  async syncAll(path: string): Promise<boolean> {
    return (await this.#ask('syncAll', { path: latin1(path) })) as boolean;
  }

  /** Removes files. One that is not there is no error. */
  async remove(paths: readonly string[]): Promise<void> {
    await this.#ask('remove', { paths: paths.map(latin1) });
  }

  /** The contents of a small file; null where there is none, it is no file, or longer than `limit` bytes. */
  async read(path: string, limit: number): Promise<Uint8Array | null> {
    return (await this.#ask('read', { path: latin1(path), limit })) as Uint8Array | null;
  }

  /** Runs git in a folder. The output has a character per byte; the status is null where git does not run. */
  async git(folder: string, words: readonly string[]): Promise<{ status: number | null; output: string }> {
    return (await this.#ask('git', { folder: latin1(folder), words })) as {
      status: number | null;
      output: string;
    };
  }

  /** Ends the workers. What they were asked fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#lines.map(({ worker }) => worker.terminate()));
  }

  async #ask(
    operation: string,
    request: object,
    onPart: (part: Listed[]) => void = () => {},
  ): Promise<unknown> {
    if (this.#isClosed) throw new Error('The workers for files have been ended');
    const line = this.#leastBusy();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      line.jobs.set(id, { resolve, reject, onPart });
      line.worker.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- This is no window.
      line.worker.postMessage({ id, operation, request });
    });
  }

  #leastBusy(): Line {
    const least = this.#lines.toSorted((a, b) => a.jobs.size - b.jobs.size)[0];
    return least && (least.jobs.size === 0 || this.#lines.length >= this.workers) ? least : this.#start();
  }

  #start(): Line {
    const worker = new Worker(new URL('./diskWorker.cjs', import.meta.url));
    const line: Line = { worker, jobs: new Map() };
    this.#lines.push(line);
    worker.on('message', (message: Message) => receive(line, message));
    const lost = (error: Error) => {
      const index = this.#lines.indexOf(line);
      if (index !== -1) this.#lines.splice(index, 1);
      for (const job of line.jobs.values()) job.reject(error);
      line.jobs.clear();
    };
    worker.on('error', lost);
    worker.on('exit', () => lost(new Error('A worker for files has ended')));
    return line;
  }
}

function receive({ worker, jobs }: Line, { id, part, value, error }: Message): void {
  const job = jobs.get(id);
  if (!job) return;
  if (part) {
    job.onPart(part);
    return;
  }
  jobs.delete(id);
  // An idle worker keeps no process alive.
  if (jobs.size === 0) worker.unref();
  if (error)
    job.reject(Object.assign(new Error(error.message), { code: error.code, syscall: error.syscall }));
  else job.resolve(value);
}

/** A string with a character per byte. */
export function latin1(text: string): string {
  return isAscii(text) ? text : encodeBytes(text).toString('latin1');
}

/** The inverse of `latin1`. */
export function fromLatin1(text: string): string {
  return isAscii(text) ? text : decodeBytes(Buffer.from(text, 'latin1'));
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- All that are one byte and one character.
  return /^[\x00-\x7f]*$/.test(text);
}
