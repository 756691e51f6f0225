import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isIn, workspaceRoot } from '../../../server/workspace/root.ts';
import { git } from './support.ts';

describe('the workspace', () => {
  let home: string;
  const at = (path: string) => join(home, path);
  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'vbatch-root-')));
    mkdirSync(at('project/src/deep'), { recursive: true });
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('is where one is, without anything else', async () => {
    expect(await workspaceRoot(at('project/src'), [], home)).toEqual({ folder: at('project/src') });
  });

  it('is the top of the repository, or the folder that is opened, whichever is nearer', async () => {
    git(at('project'), 'init', '-q');
    expect(await workspaceRoot(at('project/src/deep'), [], home)).toEqual({ folder: at('project') });
    expect(await workspaceRoot(at('project/src/deep'), [at('project/src')], home)).toEqual({
      folder: at('project/src'),
    });
    expect(await workspaceRoot(at('project'), [home, at('project/src')], home)).toEqual({
      folder: at('project'),
    });
    git(at('project/src/deep'), 'init', '-q');
    expect(await workspaceRoot(at('project/src/deep'), [at('project')], home)).toEqual({
      folder: at('project/src/deep'),
    });
  });

  it('is the top of a worktree too, and not a folder with a .git that is none', async () => {
    writeFileSync(at('project/.git'), 'gitdir: /somewhere/else\n');
    mkdirSync(at('project/src/.git'));
    expect(await workspaceRoot(at('project/src'), [], home)).toEqual({ folder: at('project') });
  });

  it('is the folder itself, by whatever link one came', async () => {
    git(at('project'), 'init', '-q');
    symlinkSync(at('project/src'), at('short'));
    expect(await workspaceRoot(at('short'), [], home)).toEqual({ folder: at('project') });
  });

  it('is never the home folder, nor what that is in', async () => {
    git(home, 'init', '-q');
    expect(await workspaceRoot(at('project/src'), [home], home)).toEqual({ folder: at('project/src') });
    const none = await workspaceRoot(home, [home], home);
    expect(none).toEqual({
      folder: null,
      why: expect.stringMatching(/^is the home folder, so nothing of it travels/),
    });
    expect(await workspaceRoot('/', [], home)).toMatchObject({ folder: null });
    expect(await workspaceRoot(tmpdir(), [], home)).toMatchObject({ folder: null });
  });
});

it('knows what is in a folder, on either kind of system', () => {
  expect(isIn('/home/me', '/', posix)).toBe(true);
  expect(isIn('/home/me', '/home/me', posix)).toBe(true);
  expect(isIn('/home/melanie', '/home/me', posix)).toBe(false);
  expect(isIn('/home/..me', '/home', posix)).toBe(true);
  expect(isIn('C:\\Users\\me', 'c:\\', win32)).toBe(true);
  expect(isIn('C:\\Users\\me', 'C:\\users', win32)).toBe(true);
  expect(isIn('C:\\Users', 'C:\\Users\\me', win32)).toBe(false);
  expect(isIn('D:\\work', 'C:\\', win32)).toBe(false);
});
