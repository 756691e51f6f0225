/** What files looked like when something was found out from them, so that it need not be found out again. */
import type { Disk, Found } from './disk.ts';

export class Stamps {
  readonly #noted = new Map<string, string | null>();

  constructor(private readonly disk: Disk) {}

  /** Notes what is at these paths. To be called before anything is read there. */
  async note(paths: readonly string[]): Promise<void> {
    const fresh = [...new Set(paths)].filter((path) => !this.#noted.has(path));
    const found = await this.disk.look(fresh);
    for (const [index, path] of fresh.entries()) this.#noted.set(path, stampOf(found[index] as Found));
  }

  /** Whether all is as it was noted. What was noted just after it had changed could change again unseen, so it is not. */
  async hold(): Promise<boolean> {
    const found = await this.disk.look([...this.#noted.keys()]);
    return [...this.#noted.values()].every(
      (stamp, index) => stamp !== null && stamp === stampOf(found[index] as Found),
    );
  }
}

/** The same as long as the contents are; null where a change of them might not show. */
export function stampOf(found: Found): string | null {
  if (found.kind !== 'file') return found.kind;
  return found.isSettled ? found.signature : null;
}
