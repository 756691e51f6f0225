/** Manifests by the hash of their text, which is kept among the contents. */
import { createReadStream } from 'node:fs';
import { emptyManifest, type Manifest } from '../../workspace/manifest.ts';
import { decodeManifest, encodeManifest } from '../../workspace/manifestText.ts';
import type { ContentStore } from '../../workspace/store.ts';

/** How many are held at hand. */
const mostHeld = 32;

export class Manifests {
  private readonly held = new Map<string, Manifest>();
  /** Entries of manifests that were saved: about what it costs to keep them. */
  saved = 0;

  constructor(private readonly store: ContentStore) {}

  /** Throws `stateFailed` where it is not there. */
  async load(hash: string): Promise<Manifest> {
    const known = this.held.get(hash);
    if (known) {
      this.hold(hash, known);
      return known;
    }
    // Throws with a clear message where there is none.
    await (await this.store.open(hash)).close();
    const manifest = await decodeManifest(createReadStream(this.store.pathOf(hash)), `The content ${hash}`);
    this.hold(hash, manifest);
    return manifest;
  }

  /** Stores it and gives its hash. It is on the disk itself only after the store's `sync`. */
  async save(manifest: Manifest): Promise<string> {
    for (const [hash, known] of this.held) {
      if (known === manifest && manifest !== emptyManifest) return hash;
    }
    this.saved += manifest.size;
    const hash = await this.store.write(encodeManifest(manifest));
    this.hold(hash, manifest);
    return hash;
  }

  private hold(hash: string, manifest: Manifest): void {
    this.held.delete(hash);
    this.held.set(hash, manifest);
    const [oldest] = this.held.keys();
    if (this.held.size > mostHeld && oldest !== undefined) this.held.delete(oldest);
  }
}
