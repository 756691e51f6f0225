/** What folders of this machine hold, as manifests whose contents are in the store. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HashCache } from '../../workspace/hashCache.ts';
import { type Scan, Scanner } from '../../workspace/scan.ts';
import type { ContentStore } from '../../workspace/store.ts';
import { Coalesced } from './coalesced.ts';

/** A folder with more than this is no project, or has something in it that should not travel. */
const limits = { maxFiles: 200_000, maxBytes: 50 * 1024 ** 3 };

/** So many entries of folders are remembered, so that little is looked at again where little has changed. */
const mostRemembered = 300_000;

export class Snapshots {
  private readonly rounds = new Map<string, Coalesced<Scan>>();
  /** The one used last comes last. */
  private readonly scanners = new Map<string, Scanner>();

  /** @param folder where to keep hashes of files that have been read. */
  constructor(
    private readonly store: ContentStore,
    private readonly folder: string,
  ) {}

  /** The folder as it is now, or in a moment; with `git`, also its `.git`. Throws as `Scanner.scan` does. */
  take(folder: string, git: boolean): Promise<Scan> {
    const key = `${git} ${folder}`;
    let rounds = this.rounds.get(key);
    if (!rounds) {
      rounds = new Coalesced(() => this.scan(folder, git, key));
      this.rounds.set(key, rounds);
    }
    return rounds.run();
  }

  private async scan(folder: string, git: boolean, key: string): Promise<Scan> {
    const scanner = this.scanners.get(key) ?? (await this.scannerFor(folder, git, key));
    this.scanners.delete(key);
    this.scanners.set(key, scanner);
    const result = await scanner.scan();
    this.forgetSome();
    return result;
  }

  private async scannerFor(folder: string, git: boolean, key: string): Promise<Scanner> {
    const name = createHash('sha256').update(key).digest('hex').slice(0, 24);
    const cache = await HashCache.load(join(this.folder, name));
    return new Scanner(this.store.disk, folder, cache, this.store, { git, ...limits });
  }

  private forgetSome(): void {
    let remembered = 0;
    for (const [index, [key, { size }]] of [...this.scanners].reverse().entries()) {
      remembered += size;
      if (index > 0 && remembered > mostRemembered) this.scanners.delete(key);
    }
  }
}
