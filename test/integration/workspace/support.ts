import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encodeBytes } from '../../../server/protocol/bytes.ts';
import { Disk } from '../../../server/workspace/disk.ts';
import { HashCache } from '../../../server/workspace/hashCache.ts';
import { hashing, type Scan, type ScanOptions, scan } from '../../../server/workspace/scan.ts';

export const plenty: ScanOptions = { git: false, maxFiles: 1_000_000, maxBytes: 1e12 };

/** A folder to work in, `work` within it for a workspace, and workers; all gone afterwards. */
export async function withWorkspace(
  test: (place: { disk: Disk; base: string; folder: string }) => Promise<void>,
): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'vbatch-workspace-'));
  const folder = join(base, 'work');
  mkdirSync(folder);
  const disk = new Disk(2);
  try {
    await test({ disk, base, folder });
  } finally {
    await disk.close();
    rmSync(base, { recursive: true, force: true });
  }
}

/** Makes files with these contents, links for `-> TARGET`, and folders for names that end in a slash. */
export function plant(folder: string, tree: Record<string, string | Buffer>): void {
  for (const [path, contents] of Object.entries(tree)) {
    const at = encodeBytes(join(folder, path));
    mkdirSync(encodeBytes(dirname(join(folder, path))), { recursive: true });
    if (path.endsWith('/')) mkdirSync(at, { recursive: true });
    else if (typeof contents === 'string' && contents.startsWith('-> '))
      symlinkSync(encodeBytes(contents.slice(3)), at);
    else writeFileSync(at, contents);
  }
}

/** What git prints in a folder, with no configuration but the folder's own. */
export function git(folder: string, ...words: string[]): string {
  return execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...words], {
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1e9,
  });
}

/** A scan with an empty cache. */
export async function scanAnew(
  disk: Disk,
  folder: string,
  options: Partial<ScanOptions> = {},
): Promise<Scan> {
  const cache = await HashCache.load(`${folder}.cache`);
  return scan(disk, folder, cache, hashing(disk), { ...plenty, ...options });
}

/** The paths of files and links of a scan, in the order of strings. */
export function filesOf({ manifest }: Scan): string[] {
  return [...manifest].flatMap(([path, { kind }]) => (kind === 'folder' ? [] : [path])).sort();
}
