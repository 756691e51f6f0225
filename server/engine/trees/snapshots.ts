/** What folders of this machine hold, as manifests whose contents are in the store. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HashCache } from '../../workspace/hashCache.ts';
import { type Scan, scan } from '../../workspace/scan.ts';
import type { ContentStore } from '../../workspace/store.ts';
import { Coalesced } from './coalesced.ts';

/** A folder with more than this is no project, or has something in it that should not travel. */
const limits = { maxFiles: 200_000, maxBytes: 50 * 1024 ** 3 };

export class Snapshots {
  private readonly scans = new Map<string, Coalesced<Scan>>();

  /** @param folder where to keep hashes of files that have been read. */
  constructor(
    private readonly store: ContentStore,
    private readonly folder: string,
  ) {}

  /** The folder as it is now, or in a moment; with `git`, also its `.git`. Throws as `scan` does. */
  take(folder: string, git: boolean): Promise<Scan> {
    const key = `${git} ${folder}`;
    let scans = this.scans.get(key);
    if (!scans) {
      scans = new Coalesced(() => this.scan(folder, git));
      this.scans.set(key, scans);
    }
    return scans.run();
  }

  private async scan(folder: string, git: boolean): Promise<Scan> {
    const name = createHash('sha256').update(`${git} ${folder}`).digest('hex').slice(0, 24);
    const cache = await HashCache.load(join(this.folder, name));
    return scan(this.store.disk, folder, cache, this.store, { git, ...limits });
  }
}
