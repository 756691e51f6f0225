import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findWorkspace, workspaceConfigFile } from '../../../server/config/workspace.ts';

describe('findWorkspace', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'vbatch-workspace-'));
    for (const folder of ['outer', 'outer/inner']) {
      mkdirSync(join(root, folder, '.vbatch'), { recursive: true });
      writeFileSync(workspaceConfigFile(join(root, folder)), '');
    }
    mkdirSync(join(root, 'outer/inner/a/b'), { recursive: true });
    mkdirSync(join(root, 'outer/c/.vbatch'), { recursive: true });
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it.each([
    ['outer/inner/a/b', 'outer/inner'],
    ['outer/inner', 'outer/inner'],
    ['outer/c', 'outer'],
    ['outer/does/not/exist', 'outer'],
    ['outer/inner/..', 'outer'],
  ])('finds the nearest from %s', (from, found) => {
    expect(findWorkspace(`${root}/${from}`)).toBe(join(root, found));
  });

  it('is null where no folder above has one', () => {
    expect(findWorkspace(root)).toBeNull();
    expect(findWorkspace('/')).toBeNull();
  });
});
