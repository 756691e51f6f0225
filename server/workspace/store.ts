/**
 * Contents of files by their hash, in a folder of this machine: `FOLDER/ab/cdef…`. What is there is whole: it is
 * made under another name first.
 */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VbatchError } from '../protocol/errors.ts';
import { Breather } from './breather.ts';
import type { Disk, Read } from './disk.ts';
import { errorCode, ioFailure } from './failures.ts';

interface Content {
  size: number;
  /** When it was stored or asked for last, on the store's own count. */
  used: number;
}

/** Files to sync or to remove at a time. */
const BATCH = 64;
/** So many files are synced one by one. */
const FEW = 64;

export class ContentStore {
  readonly #contents = new Map<string, Content>();
  /** Stored, and perhaps not on the disk itself yet. */
  readonly #unsynced = new Set<string>();
  readonly #copies = new Set<Promise<unknown>>();
  #removal: Promise<void> | null = null;
  #collecting: Promise<unknown> = Promise.resolve();
  #bytes = 0;
  #count = 0;
  /** Called when the disk is full, to collect what nobody needs. What was to be stored is tried once more then. */
  whenFull: (() => Promise<unknown>) | null = null;

  private constructor(
    readonly disk: Disk,
    readonly folder: string,
  ) {}

  /** The store in this folder, which is made if need be. What was not finished there is removed: one server uses it. */
  static async open(disk: Disk, folder: string): Promise<ContentStore> {
    const store = new ContentStore(disk, folder);
    try {
      await rm(store.#unfinished, { recursive: true, force: true });
      await mkdir(store.#unfinished, { recursive: true, mode: 0o700 });
      await store.#look();
    } catch (error) {
      throw ioFailure(error, `Cannot open the content store ${folder}`, 'Look at its owner and permissions.');
    }
    return store;
  }

  /** Bytes that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Contents that it holds. */
  get count(): number {
    return this.#contents.size;
  }

  /** Whether it has this content. One that was asked for outlasts a collection that began before. */
  has(hash: string, size: number): boolean {
    const content = this.#contents.get(hash);
    if (content?.size !== size) return false;
    content.used = ++this.#count;
    return true;
  }

  /** Path of a content that it has. Nobody may write there. */
  pathOf(hash: string): string {
    return join(this.folder, hash.slice(0, 2), hash.slice(2));
  }

  /** A content for reading. Throws `VbatchError` where it is not there. */
  async open(hash: string): Promise<FileHandle> {
    try {
      return await open(this.pathOf(hash), 'r');
    } catch (error) {
      throw errorCode(error) === 'ENOENT' ? this.missing(hash) : error;
    }
  }

  /** The error for a content that should be there. */
  missing(hash: string): VbatchError {
    return new VbatchError(
      'stateFailed',
      `The content ${hash} is missing from ${this.folder}. Submit again what needs it.`,
    );
  }

  /**
   * Stores what these files hold, each as what it holds at one time if it can be, and says what that is. Throws `VbatchError`
   * where there is no room, and then what was stored already stays.
   *
   * @param files absolute paths, and about how many bytes each has
   */
  async read(files: readonly { path: string; size: number }[]): Promise<Read[]> {
    const paths = files.map(({ path }) => path);
    const expected = files.reduce((sum, { size }) => sum + size, 0);
    return this.#storing(async (draft) => {
      const read = await this.disk.keep(paths, expected, draft, this.folder);
      for (const each of read) {
        if (each.kind === 'file' || each.kind === 'busy') this.#add(each.hash, each.size);
      }
      return read;
    });
  }

  /**
   * Takes in a file of ours from the same file system, such as what came from another machine, and says whether it
   * holds what it should. It is gone from its place in any case.
   */
  async adopt(path: string, hash: string, size: number): Promise<boolean> {
    return this.#storing(async () => {
      const read = await this.disk.adopt(path, hash, this.folder);
      if (read.kind !== 'file' || read.hash !== hash) return false;
      this.#add(hash, read.size);
      return read.size === size;
    });
  }

  /** Stores these contents and gives their hashes. */
  async put(contents: readonly Uint8Array[]): Promise<string[]> {
    return this.#storing(async (draft) => {
      const hashes = await this.disk.put(contents, draft, this.folder);
      for (const [index, hash] of hashes.entries()) this.#add(hash, contents[index]?.length ?? 0);
      return hashes;
    });
  }

  /** What small contents hold. Throws `VbatchError` where one is not there. */
  async take(hashes: readonly string[]): Promise<Uint8Array[]> {
    try {
      return await this.disk.take(hashes.map((hash) => this.pathOf(hash)));
    } catch (error) {
      const missing = hashes.find((hash) => String(error).includes(hash.slice(2)));
      throw errorCode(error) === 'ENOENT' && missing !== undefined ? this.missing(missing) : error;
    }
  }

  /** Throws `diskFull` where the disk does not have room for so many bytes more. */
  async makeSure(bytes: number): Promise<void> {
    await this.#storing(() => this.disk.makeSure(this.folder, bytes));
  }

  /** @param store adds what it has stored before it resolves, so that no collection comes between */
  async #storing<T>(store: (draft: string) => Promise<T>): Promise<T> {
    try {
      return await this.#storeOnce(store);
    } catch (error) {
      const failure = this.#failure(error);
      const isFull = failure instanceof VbatchError && failure.code === 'diskFull';
      if (!isFull || this.whenFull === null) throw failure;
    }
    await this.whenFull();
    return this.#storeOnce(store).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  async #storeOnce<T>(store: (draft: string) => Promise<T>): Promise<T> {
    // A removal that is under way could take away what a copy finds to be there.
    while (this.#removal) await this.#removal.catch(() => {});
    const copies = store(join(this.#unfinished, String(++this.#count)));
    this.#copies.add(copies);
    try {
      return await copies;
    } finally {
      this.#copies.delete(copies);
    }
  }

  /** Stores a text, such as a manifest, and gives its hash. */
  async write(pieces: Iterable<string>): Promise<string> {
    const path = join(this.#unfinished, `${++this.#count}.text`);
    try {
      const handle = await open(path, 'wx', 0o600);
      try {
        for (const piece of pieces) await handle.appendFile(piece);
      } finally {
        await handle.close();
      }
      return await this.#storing(async () => {
        const read = await this.disk.adopt(path, null, this.folder);
        if (read.kind !== 'file') throw new Error(`${path} was ${read.kind} when it was to be stored`);
        this.#add(read.hash, read.size);
        return read.hash;
      });
    } catch (error) {
      throw this.#failure(error);
    } finally {
      await rm(path, { force: true });
    }
  }

  /**
   * Has all that was stored written to the disk itself, so that it survives a power cut. The end of the server
   * alone it survives anyway.
   */
  async sync(): Promise<void> {
    const hashes = [...this.#unsynced];
    if (hashes.length === 0) return;
    try {
      const isDone = hashes.length > FEW && (await this.disk.syncAll(this.folder));
      if (!isDone) await this.#syncEach(hashes);
    } catch (error) {
      throw this.#failure(error);
    }
    for (const hash of hashes) this.#unsynced.delete(hash);
  }

  async #syncEach(hashes: readonly string[]): Promise<void> {
    for (let start = 0; start < hashes.length; start += BATCH) {
      const batch = hashes.slice(start, start + BATCH).map((hash) => this.pathOf(hash));
      await this.disk.sync(batch, []);
    }
    const folders = new Set(hashes.map((hash) => join(this.folder, hash.slice(0, 2))));
    await this.disk.sync([], [...folders, this.folder]);
  }

  /** To be taken before one looks which contents are still needed. */
  mark(): number {
    return ++this.#count;
  }

  /**
   * Removes what is not needed and was not stored or asked for since the mark. Gives the bytes that this freed.
   *
   * @param isNeeded whether something still names this content
   */
  collect(mark: number, isNeeded: (hash: string) => boolean): Promise<number> {
    const turn = this.#collecting.then(() => this.#collect(mark, isNeeded));
    this.#collecting = turn.catch(() => {});
    return turn;
  }

  async #collect(mark: number, isNeeded: (hash: string) => boolean): Promise<number> {
    const breather = new Breather();
    const unneeded: string[] = [];
    for (const [hash, { used }] of this.#contents) {
      if (breather.isDue) await breather.rest();
      if (used <= mark && !isNeeded(hash)) unneeded.push(hash);
    }
    let freed = 0;
    for (let start = 0; start < unneeded.length; start += BATCH) {
      while (this.#copies.size > 0) await Promise.allSettled(this.#copies);
      const batch = unneeded.slice(start, start + BATCH).filter((hash) => this.#isUnused(hash, mark));
      for (const hash of batch) freed += this.#forget(hash);
      this.#removal = this.disk.remove(batch.map((hash) => this.pathOf(hash)));
      try {
        await this.#removal;
      } catch (error) {
        throw ioFailure(error, `Cannot remove files in ${this.folder}`, 'Look at its owner and permissions.');
      } finally {
        this.#removal = null;
      }
    }
    return freed;
  }

  #isUnused(hash: string, mark: number): boolean {
    const content = this.#contents.get(hash);
    return content !== undefined && content.used <= mark;
  }

  /** Gives its bytes. */
  #forget(hash: string): number {
    const size = this.#contents.get(hash)?.size ?? 0;
    this.#contents.delete(hash);
    this.#unsynced.delete(hash);
    this.#bytes -= size;
    return size;
  }

  get #unfinished(): string {
    return join(this.folder, 'unfinished');
  }

  async #look(): Promise<void> {
    const folders = await this.disk.list(this.folder);
    for (const { name: start, kind } of folders?.entries ?? []) {
      if (kind !== 'folder' || !/^[0-9a-f]{2}$/.test(start)) continue;
      const contents = await this.disk.list(join(this.folder, start));
      for (const entry of contents?.entries ?? []) {
        if (entry.kind !== 'file' || !/^[0-9a-f]{62}$/.test(entry.name)) continue;
        this.#contents.set(start + entry.name, { size: entry.size, used: 0 });
        this.#bytes += entry.size;
      }
    }
  }

  #add(hash: string, size: number): void {
    const before = this.#contents.get(hash);
    this.#bytes += size - (before?.size ?? 0);
    this.#contents.set(hash, { size, used: ++this.#count });
    if (before?.size !== size) this.#unsynced.add(hash);
  }

  #failure(error: unknown): unknown {
    return ioFailure(error, `Cannot store files in ${this.folder}`, 'Look at its owner and permissions.');
  }
}
