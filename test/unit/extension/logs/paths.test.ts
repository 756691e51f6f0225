import { win32 } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addressParts, parseAddress } from '../../../../extension/logs/address.ts';
import { candidates, PathFinder } from '../../../../extension/logs/paths.ts';

const here = {
  directory: '/home/ada/work/sub',
  workspace: null as string | null,
  elsewhere: false,
  folders: ['/home/ada/work', '/srv'].map((path) => ({ path, real: path })),
};
const there = { ...here, elsewhere: true };

/** The first candidate that is one of these files. */
function chosen(path: string, surroundings: typeof here, files: readonly string[]): Promise<string | null> {
  return new PathFinder(surroundings, async (file) => files.includes(file)).find(path);
}

describe('a path that a task has printed', () => {
  it('is relative to the folder of the task, else to the open folders, the one around it first', () => {
    expect(candidates('a/b.py', here)).toEqual([
      '/home/ada/work/sub/a/b.py',
      '/home/ada/work/a/b.py',
      '/srv/a/b.py',
    ]);
    expect(candidates('../b.py', here)[0]).toBe('/home/ada/work/b.py');
  });

  it('is itself on this machine', () => {
    expect(candidates('/usr/lib/x.py', here)).toEqual(['/usr/lib/x.py']);
  });

  it("in a run's folder on a host is the same one in the workspace, and no other that is called alike", async () => {
    const travels = { ...there, workspace: '/home/ada/work' };
    const tree = '/home/bob/.vbatch/0a1b/runs/17/tree';
    const files = ['/home/ada/work/train.py', '/home/ada/work/sub/train.py', '/home/ada/work/sub/own.py'];
    expect(await chosen(`${tree}/train.py`, travels, files)).toBe('/home/ada/work/train.py');
    expect(await chosen(`${tree}/sub/train.py`, travels, files)).toBe('/home/ada/work/sub/train.py');
    expect(await chosen(`${tree}/own.py`, travels, files)).toBe(null);
    expect(await chosen('own.py', travels, files)).toBe('/home/ada/work/sub/own.py');
  });

  it('of a host is found on Windows as well', () => {
    const windows = {
      directory: 'C:\\work\\sub',
      workspace: 'C:\\work',
      elsewhere: true,
      folders: [{ path: 'c:\\work', real: 'C:\\work' }],
    };
    const tree = '/home/bob/.vbatch/0a1b/runs/17/tree';
    expect(candidates(`${tree}/sub/train.py`, windows, win32)).toEqual(['C:\\work\\sub\\train.py']);
    expect(candidates('own.py', windows, win32)[0]).toBe('C:\\work\\sub\\own.py');
    expect(candidates('/mnt/src/train.py', windows, win32)).toContain('c:\\work\\src\\train.py');
    expect(candidates('/usr/lib/python3/json/decoder.py', windows, win32)).toEqual([]);
  });

  it('on a file system that a host has somewhere else is the file here that ends alike, the longest end first', async () => {
    const printed = '/mnt/ada/work/src/train.py';
    const files = ['/home/ada/work/src/train.py', '/home/ada/work/sub/train.py', '/srv/train.py'];
    expect(await chosen(printed, there, files)).toBe('/home/ada/work/src/train.py');
    expect(await chosen(printed, there, files.slice(1))).toBe('/home/ada/work/sub/train.py');
  });

  it('of a library of a host is no file of the same name here', async () => {
    const files = ['/home/ada/work/decoder.py', '/home/ada/work/json/decoder.py'];
    expect(await chosen('/usr/lib/python3/json/decoder.py', there, files)).toBe(null);
    expect(await chosen('/home/bob/venv/lib/python3.12/json/decoder.py', there, files)).toBe(null);
  });

  it('is called as the open folder is that it is in, whatever links lead there', async () => {
    const folders = [{ path: '/home/ada/work', real: '/disk7/ada/work' }];
    const linked = { ...here, directory: '/disk7/ada/work/sub', folders };
    const files = ['/disk7/ada/work/sub/a.py', '/disk7/ada/work2/b.py'];
    expect(await chosen('a.py', linked, files)).toBe('/home/ada/work/sub/a.py');
    expect(await chosen('/disk7/ada/work2/b.py', linked, files)).toBe('/disk7/ada/work2/b.py');
  });

  it('on a host that sees the same folder is itself', async () => {
    const file = '/home/ada/work/src/train.py';
    expect(await chosen(file, there, [file, `/home/ada/work/sub${file}`])).toBe(file);
  });

  it('of this machine is not meant by one of a host', async () => {
    expect(await chosen('/etc/app/settings.py', there, ['/etc/app/settings.py'])).toBe(null);
  });

  it('is looked for once', async () => {
    let looks = 0;
    const finder = new PathFinder(here, async () => {
      looks += 1;
      return true;
    });
    await Promise.all([finder.find('a.py'), finder.find('a.py')]);
    expect(looks).toBe(1);
  });
});

describe('the address of a log', () => {
  it.each([
    { id: 'train-4k2m9', attempt: 1 },
    { id: 'p-4k2m9/a.csv/fit', attempt: 12 },
    { id: 'x-4k2m9/odd #2', attempt: 1 },
  ])('is read back: %o', (address) => {
    expect(parseAddress(addressParts(address))).toEqual(address);
  });

  it('is no other', () => {
    expect(parseAddress({ path: '/vbatch-log/x', query: '' })).toBe(null);
    expect(parseAddress({ path: '/vbatch-log/x', query: 'attempt=2' })).toBe(null);
    expect(parseAddress({ path: '/elsewhere/x', query: 'attempt=1' })).toBe(null);
  });
});
