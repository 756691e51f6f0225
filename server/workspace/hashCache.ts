/**
 * Hashes of the files of a folder, by path and signature, so that only what changed is read again. It is kept in
 * a file that nothing depends on: where that is damaged, everything is read again.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '../replaceFile.ts';
import { Breather } from './breather.ts';

const HEADER = '{"vbatch":"hashes","format":2}';
const PIECE = 64 * 1024;
/** It is written again when one in so many is news: without that, the next server only reads more than it has to. */
const SAVED_BY = 20;

interface Known {
  readonly signature: string;
  readonly hash: string;
  /** On Windows only its contents tell. */
  readonly executable: boolean;
}

export class HashCache {
  #known: ReadonlyMap<string, Known> = new Map();
  #seen = new Map<string, Known>();
  /** What is in memory and not in the file. */
  #news = 0;
  #isSaved = false;

  private constructor(readonly file: string) {}

  /** Reads the cache in this file, or begins an empty one. */
  static async load(file: string): Promise<HashCache> {
    const cache = new HashCache(file);
    cache.#known = (await read(file).catch(() => null)) ?? new Map();
    return cache;
  }

  /** What is known of the file with this signature at this path, or null. */
  find(path: string, signature: string): Known | null {
    const known = this.#known.get(path);
    if (known?.signature !== signature) return null;
    this.#seen.set(path, known);
    return known;
  }

  /** Only for a file that is settled: whose next change gives it another signature. */
  remember(path: string, { signature, hash, executable }: Known): void {
    this.#seen.set(path, { signature, hash, executable });
    this.#news += 1;
  }

  /** Keeps what was found or remembered since the last time, and forgets the rest. Writes it down if that is much news. */
  async save(): Promise<void> {
    this.#news += Math.abs(this.#known.size - this.#seen.size);
    this.#known = this.#seen;
    this.#seen = new Map();
    if (this.#news === 0 || (this.#isSaved && this.#news * SAVED_BY < this.#known.size)) return;
    this.#news = 0;
    this.#isSaved = true;
    await write(this.file, this.#known);
  }
}

async function read(file: string): Promise<Map<string, Known> | null> {
  const known = new Map<string, Known>();
  const sum = createHash('sha256');
  const breather = new Breather();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let isFirst = true;
  for await (const piece of createReadStream(file, { highWaterMark: PIECE })) {
    const lines = (rest + decoder.decode(piece as Buffer, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      sum.update(`${line}\n`);
      if (isFirst) {
        if (line !== HEADER) return null;
        isFirst = false;
        continue;
      }
      const [path, signature, hash, executable] = JSON.parse(line) as [string, string, string, boolean];
      known.set(path, { signature, hash, executable });
    }
    if (breather.isDue) await breather.rest();
  }
  return rest === sum.digest('hex') ? known : null;
}

async function write(file: string, known: ReadonlyMap<string, Known>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.draft`;
  const handle = await open(draft, 'w', 0o600);
  try {
    const sum = createHash('sha256');
    let text = `${HEADER}\n`;
    const flush = async () => {
      sum.update(text);
      await handle.appendFile(text);
      text = '';
    };
    for (const [path, { signature, hash, executable }] of known) {
      text += `${JSON.stringify([path, signature, hash, executable])}\n`;
      if (text.length > PIECE) await flush();
    }
    await flush();
    await handle.appendFile(sum.digest('hex'));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  replaceFile(draft, file);
}
