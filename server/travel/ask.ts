/** Asks a host which contents it has. */
import type { HostWorkspace } from '../hosts/host.ts';
import type { Change } from '../workspace/manifest.ts';
import { callForLines } from './script.ts';

export interface Lacking {
  readonly hash: string;
  readonly size: number;
  /** Bytes of it that are there. */
  readonly there: number;
}

/** The contents that these changes need and the host does not have. */
export async function ask(workspace: HostWorkspace, changes: readonly Change[]): Promise<Lacking[]> {
  const sizes = sizesOf(changes);
  const lacking = await askFor(workspace, [...sizes.keys()]);
  return lacking.map(({ hash, there }) => ({ hash, there, size: sizes.get(hash) ?? 0 }));
}

/** Those of these contents that the host does not have, and how many bytes of them are there. */
export async function askFor(
  workspace: HostWorkspace,
  hashes: readonly string[],
): Promise<{ hash: string; there: number }[]> {
  if (hashes.length === 0) return [];
  const asked = new Set(hashes);
  const input = [Buffer.from(hashes.map((hash) => `${hash}\n`).join(''))];
  const lines = await callForLines(workspace, { words: ['ask'], input });
  return lines.flatMap((line) => {
    const [hash = '', there] = line.split(' ');
    return asked.has(hash) ? [{ hash, there: Number(there) }] : [];
  });
}

/** By hash, how many bytes it has. */
function sizesOf(changes: readonly Change[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { entry } of changes) {
    if (entry?.kind === 'file') sizes.set(entry.hash, entry.size);
  }
  return sizes;
}
