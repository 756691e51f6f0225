/** A scanner that remembers a folder must find what one finds that has never seen it. */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Disk } from '../../../server/workspace/disk.ts';
import { HashCache } from '../../../server/workspace/hashCache.ts';
import { hashing, Scanner } from '../../../server/workspace/scan.ts';
import { filesOf, git, plant, plenty, scanAnew, withWorkspace } from './support.ts';

/** What has just been written is not trusted to show its next change. */
const settle = () => delay(2_100);

async function scannerOf(disk: Disk, folder: string): Promise<Scanner> {
  return new Scanner(disk, folder, await HashCache.load(`${folder}.scanner`), hashing(disk), plenty);
}

const project = {
  '.gitignore': '*.log\n/out/\n/deep/gone/\n',
  '.vbatchignore': '!/out/kept/\n',
  'a.py': 'a',
  'a.log': 'ignored',
  'deep/er/b.py': 'b',
  'deep/.gitignore': 'secret\n',
  'deep/secret': 's',
  'out/kept/r.csv': 'r',
  'out/other': 'o',
  'tracked.log': 't',
  'inner/x.py': 'x',
  'inner/x.log': 'x',
};

function plantProject(folder: string): void {
  plant(folder, project);
  git(folder, 'init', '-q');
  git(folder, 'add', '-f', 'tracked.log', 'a.py');
}

type Step =
  | { kind: 'write'; path: string; contents: string }
  | { kind: 'remove' | 'link' | 'run'; path: string }
  | { kind: 'move'; path: string; to: string };

function stepOf(names: readonly string[]): fc.Arbitrary<Step> {
  const path = fc
    .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'));
  const contents = fc.constantFrom('x', 'y', '*.log\n', 'deep/\n', '!out\n');
  const of = <K extends string>(kind: K) => fc.record({ kind: fc.constant(kind), path });
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), path, contents }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), path, to: path }) },
    { weight: 1, arbitrary: of('remove') },
    { weight: 1, arbitrary: of('link') },
    { weight: 1, arbitrary: of('run') },
  );
}

function perform(folder: string, step: Step): void {
  const at = join(folder, step.path);
  try {
    switch (step.kind) {
      case 'write':
        mkdirSync(join(at, '..'), { recursive: true });
        writeFileSync(at, step.contents);
        break;
      case 'remove':
        rmSync(at, { recursive: true, force: true });
        break;
      case 'link':
        symlinkSync('elsewhere', at);
        break;
      case 'run':
        chmodSync(at, 0o755);
        break;
      case 'move':
        renameSync(at, join(folder, step.to));
        break;
    }
  } catch {
    // What cannot be done is not done.
  }
}

describe.concurrent('a scanner that has seen the folder before', () => {
  it('asks git again only when something has changed that the answer depends on', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plantProject(folder);
      plant(base, { 'included.config': '' });
      git(folder, 'config', 'include.path', join(base, 'included.config'));
      await settle();
      const asked = vi.spyOn(disk, 'git');
      const scanner = await scannerOf(disk, folder);
      const look = async () => {
        asked.mockClear();
        const found = filesOf(await scanner.scan());
        expect(found).toEqual(filesOf(await scanAnew(disk, folder)));
        return found;
      };
      /** How often the scanner itself has asked: one that is new asks as well. */
      const asks = async () => {
        await look();
        asked.mockClear();
        await scanner.scan();
        return asked.mock.calls.length;
      };
      expect(await look()).toContain('tracked.log');
      expect(await asks()).toBe(0);
      plant(folder, { 'new.py': 'n', 'fresh/inner/c.py': 'c', 'b.log': 'b' });
      expect(await look()).toContain('fresh/inner/c.py');
      expect(await asks()).toBe(0);

      plant(folder, { 'deep/.gitignore': 'er\n' });
      expect(await look()).toContain('deep/secret');
      git(folder, 'add', '-f', 'b.log');
      expect(await look()).toContain('b.log');
      git(folder, 'rm', '-q', '--cached', 'tracked.log');
      expect(await look()).not.toContain('tracked.log');
      plant(folder, { '.git/info/exclude': 'new.py\n' });
      expect(await look()).not.toContain('new.py');
      plant(base, { excludes: 'fresh/\n' });
      plant(base, { 'included.config': `[core]\n\texcludesFile = ${join(base, 'excludes')}\n` });
      expect(await look()).not.toContain('fresh/inner/c.py');
      plant(base, { excludes: '' });
      expect(await look()).toContain('fresh/inner/c.py');
      git(join(folder, 'inner'), 'init', '-q');
      expect(await look()).toContain('inner/x.log');
      rmSync(join(folder, 'inner/.git'), { recursive: true });
      expect(await look()).not.toContain('inner/x.log');
      rmSync(join(folder, '.git'), { recursive: true });
      expect(await look()).toContain('new.py');
      await settle();
      await scanner.scan();
      expect(await asks()).toBe(0);
    });
  });

  it('in a folder of a repository sees what changes above it', async () => {
    await withWorkspace(async ({ disk, base, folder }) => {
      plant(folder, { a: 'a', b: 'b' });
      const scanner = await scannerOf(disk, folder);
      await settle();
      expect(filesOf(await scanner.scan())).toEqual(['a', 'b']);
      git(base, 'init', '-q');
      plant(base, { '.gitignore': 'a\n' });
      expect(filesOf(await scanner.scan())).toEqual(['b']);
      plant(base, { '.gitignore': 'b\n' });
      expect(filesOf(await scanner.scan())).toEqual(['a']);
    });
  });

  it('gives the very same manifest where nothing has changed, and reads nothing', async () => {
    await withWorkspace(async ({ disk, folder }) => {
      plantProject(folder);
      await settle();
      const scanner = await scannerOf(disk, folder);
      const { manifest } = await scanner.scan();
      const [hash, list] = [vi.spyOn(disk, 'hash'), vi.spyOn(disk, 'list')];
      expect((await scanner.scan()).manifest).toBe(manifest);
      expect([hash.mock.calls, list.mock.calls]).toEqual([[], []]);
      writeFileSync(join(folder, 'deep/er/b.py'), 'other');
      expect((await scanner.scan()).manifest).not.toBe(manifest);
      expect(list.mock.calls).toEqual([[join(folder, 'deep/er')]]);
    });
  });

  const plain = ['a.py', 'b', 'c.log', 'deep', 'er', 'out', 'kept'];
  it.each([
    ['files', plain],
    ['ignore files, too', [...plain, '.gitignore', '.vbatchignore']],
  ])('finds what one finds that has not, whatever happens to %s', { retry: 0 }, async (_, names) => {
    await withWorkspace(async ({ disk, folder }) => {
      plantProject(folder);
      await settle();
      const scanner = await scannerOf(disk, folder);
      const property = fc.asyncProperty(fc.array(stepOf(names), { maxLength: 4 }), async (steps) => {
        for (const step of steps) perform(folder, step);
        const [again, anew] = [await scanner.scan(), await scanAnew(disk, folder)];
        expect([...again.manifest]).toEqual([...anew.manifest]);
      });
      await fc.assert(property, { numRuns: 60, endOnFailure: true });
    });
  });
});
