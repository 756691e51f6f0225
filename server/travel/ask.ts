/** Asks a host which contents it has. */
import type { HostWorkspace } from '../hosts/host.ts';
import { Breather } from '../workspace/breather.ts';
import type { Change } from '../workspace/manifest.ts';
import { callForLines } from './script.ts';

export interface Lacking {
  readonly hash: string;
  readonly size: number;
  /** Bytes of it that are there. */
  readonly there: number;
}

/** Hashes that are written together. */
const batch = 1_000;

/** The contents that these changes need and the host does not have. */
export async function ask(workspace: HostWorkspace, changes: readonly Change[]): Promise<Lacking[]> {
  /** By hash, how many bytes it has. */
  const sizes = new Map<string, number>();
  const breather = new Breather();
  for (const { entry } of changes) {
    if (entry?.kind === 'file') sizes.set(entry.hash, entry.size);
    if (breather.isDue) await breather.rest();
  }
  const lacking: Lacking[] = [];
  for (const { hash, there } of await askFor(workspace, [...sizes.keys()])) {
    const size = sizes.get(hash);
    if (size !== undefined) lacking.push({ hash, size, there });
    if (breather.isDue) await breather.rest();
  }
  return lacking;
}

/** Those of these contents that the host does not have, and how many bytes of them are there. */
export async function askFor(
  workspace: HostWorkspace,
  hashes: readonly string[],
): Promise<{ hash: string; there: number }[]> {
  if (hashes.length === 0) return [];
  const words = ['ask', String(hashes.length)];
  const lines = await callForLines(workspace, { words, input: inPieces(hashes) });
  const lacking: { hash: string; there: number }[] = [];
  const breather = new Breather();
  for (const line of lines) {
    const [hash = '', there] = line.split(' ');
    lacking.push({ hash, there: /^\d{1,15}$/.test(there ?? '') ? Number(there) : 0 });
    if (breather.isDue) await breather.rest();
  }
  return lacking;
}

function* inPieces(hashes: readonly string[]): Generator<Buffer> {
  for (let start = 0; start < hashes.length; start += batch) {
    yield Buffer.from(`${hashes.slice(start, start + batch).join('\n')}\n`);
  }
}
