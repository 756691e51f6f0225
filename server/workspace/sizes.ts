/** Counts what a folder holds, and says where most of it is when it is too much. */
import { VbatchError } from '../protocol/errors.ts';
import { countText, formatSize } from '../protocol/quantities.ts';
import { foldersOf, parentOf } from './paths.ts';

interface Sum {
  files: number;
  bytes: number;
}

/** A folder that holds this part of the one it is in is the one to name. */
const MOST = 0.8;
const NAMED = 3;

export class Sizes {
  readonly #sums = new Map<string, Sum>([['', { files: 0, bytes: 0 }]]);

  constructor(
    readonly root: string,
    readonly maxFiles: number,
    readonly maxBytes: number,
  ) {}

  /** Throws `VbatchError` as soon as there are too many files, so that nobody walks through millions. */
  add(path: string, size: number): void {
    this.#count('', size);
    for (const folder of foldersOf(path)) this.#count(folder, size);
    if (this.#of('').files > this.maxFiles) throw this.#tooMuch('files', `${countText(this.maxFiles)} files`);
  }

  /** Throws `VbatchError` where there are too many bytes. */
  check(): void {
    if (this.#of('').bytes > this.maxBytes) throw this.#tooMuch('bytes', formatSize(this.maxBytes));
  }

  #count(folder: string, size: number): void {
    const sum = this.#sums.get(folder);
    if (sum) {
      sum.files += 1;
      sum.bytes += size;
    } else {
      this.#sums.set(folder, { files: 1, bytes: size });
    }
  }

  #of(folder: string): Sum {
    return this.#sums.get(folder) ?? { files: 0, bytes: 0 };
  }

  #tooMuch(what: keyof Sum, limit: string): VbatchError {
    const show = (folder: string) => {
      const amount = this.#of(folder)[what];
      return `${folder}/ (${what === 'bytes' ? formatSize(amount) : `${countText(amount)} files`})`;
    };
    const largest = this.#largest(what);
    const where = largest.length === 0 ? '' : ` Most of it is in ${largest.map(show).join(', ')}.`;
    const example = largest[0] ?? 'data';
    return new VbatchError(
      'tooLarge',
      `The folder ${this.root} holds more than ${limit}, too much to travel with a run.${where} Leave out what no task needs with a .vbatchignore file there, with lines such as /${example}/, or submit from a smaller folder.`,
    );
  }

  #largest(what: keyof Sum): string[] {
    const inner = new Map<string, string[]>();
    for (const folder of this.#sums.keys()) {
      if (folder === '') continue;
      const parent = parentOf(folder);
      const siblings = inner.get(parent);
      if (siblings) siblings.push(folder);
      else inner.set(parent, [folder]);
    }
    const ordered = (folder: string) =>
      (inner.get(folder) ?? []).toSorted((a, b) => this.#of(b)[what] - this.#of(a)[what]);
    /** The folder further in that holds nearly all that this one does. */
    const inmost = (folder: string): string => {
      const [first] = ordered(folder);
      const holdsMost = first !== undefined && this.#of(first)[what] >= MOST * this.#of(folder)[what];
      return holdsMost ? inmost(first) : folder;
    };
    return ordered('').slice(0, NAMED).map(inmost);
  }
}
